-- The personal share by the class of the visit: own account, relatives, and the cash that remains.
with parts as (
  unpivot (select service_class, acct_pay, acct_mulaid_pay, psn_cash_pay from settlements)
  on acct_pay, acct_mulaid_pay, psn_cash_pay into name part value amount
)
select
  case service_class
    when 'OUTPATIENT' then '门诊 outpatient'
    when 'OUTPATIENT_SPECIAL' then '门诊慢特病 special outpatient'
    when 'INPATIENT' then '住院 inpatient'
    when 'PHARMACY' then '药店 pharmacy'
    when 'MATERNITY' then '生育 maternity'
    when 'PHYSICAL_EXAM' then '体检 physical examination'
    else '其他 other'
  end as label,
  case part
    when 'acct_pay' then '本人账户 own account'
    when 'acct_mulaid_pay' then '亲属共济 relatives'
    else '现金 cash'
  end as series,
  sum(amount) as yuan
from parts
group by label, series
order by sum(sum(amount)) over (partition by label) desc, label, case series when '本人账户 own account' then 1 when '亲属共济 relatives' then 2 else 3 end;
