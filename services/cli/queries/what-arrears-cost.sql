-- Cash, day by day: of claims on which a relative was passed over for arrears or while waiting after them, beside all other cash. An upper
-- bound of what arrears cost: how much that relative would have paid, only `gongji simulate` can tell.
with passed_over as (
  select distinct claim_id from skips where code in ('PAYER_IN_ARREARS', 'PAYER_RESUME_WAITING')
)
select
  strftime(on_day, '%Y-%m-%d') as label,
  case when passed_over.claim_id is null then '其他现金 other cash' else '有亲属欠费 a relative in arrears' end as series,
  sum(psn_cash_pay) as yuan
from settlements left join passed_over using (claim_id)
group by label, series
order by label, series desc;
