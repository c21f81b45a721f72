-- What relatives paid, by what the patient is to the payer and by the class of the visit; premiums too. Before refunds.
select
  case relation
    when 'SPOUSE' then '为配偶 for the spouse'
    when 'PARENT' then '为父母 for parents'
    when 'CHILD' then '为子女 for children'
    when 'SIBLING' then '为兄弟姐妹 for siblings'
    when 'GRANDPARENT' then '为祖父母 for grandparents'
    when 'GRANDCHILD' then '为孙辈 for grandchildren'
  end as label,
  case coalesce(service_class, 'PREMIUM')
    when 'OUTPATIENT' then '门诊 outpatient'
    when 'OUTPATIENT_SPECIAL' then '门诊慢特病 special outpatient'
    when 'INPATIENT' then '住院 inpatient'
    when 'PHARMACY' then '药店 pharmacy'
    when 'MATERNITY' then '生育 maternity'
    when 'PREMIUM' then '代缴 premium'
    else '其他 other'
  end as series,
  sum(amount) as yuan
from payments
where source = 'RELATIVE'
group by label, series
order by sum(sum(amount)) over (partition by label) desc, label, series;
