/** What the demo reads of a message of the settlements topic. */
export interface Outcome {
  readonly claim_id: string;
  readonly psn_no: string;
  readonly status: string;
  readonly code: string | null;
  readonly med_type?: string;
  readonly setl_time?: string;
  readonly medfee_sumamt?: string;
  readonly fund_pay_sumamt?: string;
  readonly psn_part_amt?: string;
  readonly acct_pay?: string;
  readonly acct_mulaid_pay?: string;
  readonly psn_cash_pay?: string;
  readonly allocation?: readonly Paid[];
  readonly skipped?: readonly Skipped[];
  readonly asked?: readonly string[];
}

interface Paid {
  readonly source: 'OWN' | 'RELATIVE';
  readonly account: string;
  readonly binding_id?: string;
  readonly amount: string;
}

interface Skipped {
  readonly source: 'OWN' | 'RELATIVE';
  readonly account: string;
  readonly binding_id?: string;
  readonly code: string;
}

/** Reads a published outcome. The topic is written by this system alone, so the value is not checked against the contract. */
export const readOutcome = (value: Uint8Array | string): Outcome =>
  JSON.parse(typeof value === 'string' ? value : Buffer.from(value).toString('utf8')) as Outcome;
