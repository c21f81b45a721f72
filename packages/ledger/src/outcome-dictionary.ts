/**
 * The compression dictionary of outcomes: text that an outcome shares with it takes almost no space, least what stands near its end. Blocks
 * of format 1 can only be read with exactly this text: to change it is a new format.
 */
export const OUTCOME_DICTIONARY_1 = Buffer.from(
  [
    '{"type":"binding.activated","id":"binding.opened:B:ACTIVATED","time":"2026-01-01T10:00:00.000+08:00"}{"binding_id":"B","payer":"P","beneficiary":"P","state":"ACTIVE","at":"2026-01-01T10:00:00.000+08:00"}',
    '{"type":"binding.refused","id":":REFUSED","time":"2026-"}"state":null,"code":"BINDING_',
    '{"type":"premium.settled","id":"claim:","time":"2026-01-01T10:00:00.000+08:00"}{"premium_id":"","payer":"P","beneficiary":"P","binding_id":"B","year":2026,"amount":"400.00","at":"2026-01-01T10:00:00.000+08:00","status":"SETTLED","code":null,"allocation":[{"source":"RELATIVE","account":"',
    '"relation":"PARENT","relation":"CHILD","relation":"SIBLING","relation":"GRANDPARENT","authorised":true,"portion_order":"PRIOR_YEAR_FIRST","manual":true,"parameter":"',
    '{"type":"refund.settled","id":"refund:R","time":"2026-01-01T10:00:00.000+08:00"}{"refund_id":"R","claim_id":"C","psn_no":"P","at":"2026-01-01T10:00:00+08:00","status":"REFUNDED","code":null,"refd_setl_flag":"1","amount":"10.00","returned":[{"source":"CASH","amount":"10.00"},{"source":"RELATIVE","account":"P","binding_id":"B","amount":"10.00"},{"source":"OWN","account":"P","amount":"10.00"}],"acct_pay":"-10.00","acct_mulaid_pay":"-10.00","psn_cash_pay":"-10.00"}',
    '{"type":"sharing.resumed","id":":RESUMED:ARREARS:PAUSED:EMPLOYER_OFF"}{"type":"sharing.paused","id":"claim:C:B:PAUSED:ZERO_BALANCE","time":"2026-01-01T10:00:00.000+08:00"}{"binding_id":"B","payer":"P","beneficiary":"P","reason":"ZERO_BALANCE","pause_reasons":["ZERO_BALANCE"],"state":"PAUSED","effective_on":"2026-01-01","cause":{"ce_type":"claim.submitted","id":"C"}}',
    '{"type":"settlement.refused","id":"claim:C","status":"REFUSED","code":"INSTITUTION_NOT_DESIGNATED","code":"PURPOSE_EXCLUDED","asked":["payers":["',
    '"code":"PAUSED_BY_USER"},"code":"PAYER_IN_ARREARS"},"code":"PAYER_RESUME_WAITING"},"code":"BINDING_NOT_YET_EFFECTIVE"},"code":"BINDING_EXPIRED"},"code":"MIN_REMAINING_REACHED"},"code":"BELOW_SHARE_THRESHOLD"},"code":"DAILY_LIMIT_REACHED","parameter":"',
    '{"type":"settlement.settled","id":"claim:C","time":"2026-01-01T10:00:00.000+08:00"}{"claim_id":"C","setl_id":"","mdtrt_id":"M","medins_setl_id":null,"psn_no":"P","fixmedins_code":"H","med_type":"11","clr_type":"11","setl_time":"2026-01-01T10:00:00+08:00","refd_setl_flag":"0","status":"SETTLED","code":null,"medfee_sumamt":"100.00","fund_pay_sumamt":"0.00","hosp_part_amt":"0.00","psn_part_amt":"100.00","acct_pay":"0.00","acct_mulaid_pay":"0.00","psn_cash_pay":"0.00","balc":"0.00","allocation":[{"source":"OWN","account":"P","amount":"100.00","prior_year":"0.00","current_year":"0.00"},{"source":"RELATIVE","account":"P","binding_id":"B","relation":"SPOUSE","amount":"100.00","prior_year":"0.00","current_year":"0.00"}],"skipped":[{"source":"OWN","account":"P","code":"OWN_ZERO_BALANCE"},{"source":"RELATIVE","account":"P","binding_id":"B","code":"PAYER_ZERO_BALANCE"},{"source":"RELATIVE","account":"P","binding_id":"B","code":"NOT_NEEDED"}],"policy":[{"region":"000000","version":"2"}]}',
  ].join(''),
);
