import type { Pool } from 'pg';
import { yuan } from '../workload.ts';
import { type Split, splitClaim } from './split.ts';

/** A claim as it stands on the topic; every field is taken at its word. */
export interface BareClaim {
  readonly claim_id: string;
  readonly mdtrt_id: string;
  readonly psn_no: string;
  readonly fixmedins_code: string;
  readonly med_type: string;
  readonly setl_time: string;
  readonly medfee_sumamt: string;
  readonly fund_pay_sumamt: string;
  readonly psn_part_amt: string;
}

/** Locks the accounts of every family in the batch, in the order of their numbers, and says who pays for whom. */
const LOCK = `
  SELECT a.person_no, a.balance, f.patient, f.priority
  FROM (SELECT p AS patient, p AS person_no, 0 AS priority FROM unnest($1::text[]) p
        UNION ALL SELECT beneficiary, payer, priority FROM binding WHERE beneficiary = ANY($1::text[])) f
  JOIN account a ON a.person_no = f.person_no
  ORDER BY a.person_no FOR NO KEY UPDATE OF a`;

/** How lists travel to the server: as arrays, which is how one writes it, or each as one text, which costs less on both sides. */
export type WriteStyle = 'plain' | 'tuned';

/** Everything a batch writes, in one statement; `$4` onwards are the lists. */
const writeStatement = (style: WriteStyle): string => {
  const list = (parameter: number, type = 'text') =>
    style === 'plain' ? `$${parameter}::${type}[]` : `string_to_array($${parameter}, ',')::${type}[]`;
  const lists = (first: number, types: readonly string[]) => types.map((type, i) => list(first + i, type)).join(', ');
  const [text, fen] = ['text', 'bigint'];
  return `
  WITH settled AS (INSERT INTO settlement SELECT * FROM unnest(
      ${lists(4, [text, text, text, text, text, 'timestamptz', fen, fen, fen, fen, fen, fen])})),
    entered AS (INSERT INTO entry (claim_id, account, amount, balance_after) SELECT * FROM unnest(
      ${lists(16, [text, text, fen, fen])})),
    paid AS (UPDATE account a SET balance = n.balance
      FROM unnest(${lists(20, [text, fen])}) n (person_no, balance) WHERE a.person_no = n.person_no)
  UPDATE position SET next_offset = $3 WHERE partition = $1 AND next_offset = $2`;
};
const WRITE: Readonly<Record<WriteStyle, string>> = { plain: writeStatement('plain'), tuned: writeStatement('tuned') };

const fenOf = (text: string): number => Math.round(Number(text) * 100);

/** Settles the claims of one batch in one database transaction, the position with them, and returns an output message for each. */
export async function settleBatch(
  pool: Pool,
  style: WriteStyle,
  batch: { partition: number; from: number; to: number; claims: readonly BareClaim[] },
) {
  const { partition, from, to, claims } = batch;
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const patients = [...new Set(claims.map(({ psn_no }) => psn_no))];
    const locked = await client.query<[string, string, string, number]>({
      name: 'lock',
      text: LOCK,
      values: [patients],
      rowMode: 'array',
    });
    const balances = new Map<string, number>();
    const families = new Map<string, string[]>();
    for (const [account, balance, patient, priority] of locked.rows) {
      balances.set(account, Number(balance));
      const family = families.get(patient) ?? [];
      family[priority] = account;
      families.set(patient, family);
    }
    const splits = claims.map(({ psn_no, psn_part_amt }) =>
      splitClaim(fenOf(psn_part_amt), families.get(psn_no) ?? [], balances),
    );
    const lists = [
      ...settlementColumns(claims, splits),
      ...entryColumns(claims, splits),
      ...accountColumns(splits, balances),
    ];
    const values = [partition, from, to, ...(style === 'plain' ? lists : lists.map((list) => list.join(',')))];
    const stored = await client.query({ name: 'write', text: WRITE[style], values });
    if (stored.rowCount !== 1) throw new Error(`partition ${partition} is not at offset ${from}`);
    await client.query('COMMIT');
    return claims.map((claim, index) => outcomeOf(claim, splits[index] as Split));
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

const settlementColumns = (claims: readonly BareClaim[], splits: readonly Split[]) => [
  claims.map(({ claim_id }) => claim_id),
  claims.map(({ mdtrt_id }) => mdtrt_id),
  claims.map(({ psn_no }) => psn_no),
  claims.map(({ fixmedins_code }) => fixmedins_code),
  claims.map(({ med_type }) => med_type),
  claims.map(({ setl_time }) => setl_time),
  claims.map(({ medfee_sumamt }) => fenOf(medfee_sumamt)),
  claims.map(({ fund_pay_sumamt }) => fenOf(fund_pay_sumamt)),
  claims.map(({ psn_part_amt }) => fenOf(psn_part_amt)),
  splits.map(({ own }) => own),
  splits.map(({ relatives }) => relatives),
  splits.map(({ cash }) => cash),
];

const entryColumns = (claims: readonly BareClaim[], splits: readonly Split[]) => {
  const entries = splits.flatMap((split) => split.entries);
  return [
    splits.flatMap((split, index) => split.entries.map(() => claims[index]?.claim_id)),
    entries.map(({ account }) => account),
    entries.map(({ amount }) => amount),
    entries.map(({ balanceAfter }) => balanceAfter),
  ];
};

const accountColumns = (splits: readonly Split[], balances: ReadonlyMap<string, number>) => {
  const touched = [...new Set(splits.flatMap((split) => split.entries.map(({ account }) => account)))];
  return [touched, touched.map((account) => balances.get(account))];
};

/** The outcome as other systems read it: what the wire contract asks for, except what explains it (sources skipped, portions, policy). */
function outcomeOf(claim: BareClaim, { own, relatives, cash, entries }: Split) {
  const {
    claim_id,
    mdtrt_id,
    psn_no,
    fixmedins_code,
    med_type,
    setl_time,
    medfee_sumamt,
    fund_pay_sumamt,
    psn_part_amt,
  } = claim;
  const allocation = entries.map(({ account, amount }) => ({
    source: account === psn_no ? 'OWN' : 'RELATIVE',
    account,
    amount: yuan(amount),
  }));
  const value = JSON.stringify({
    claim_id,
    setl_id: `S${claim_id}`,
    mdtrt_id,
    psn_no,
    fixmedins_code,
    med_type,
    setl_time,
    refd_setl_flag: '0',
    status: 'SETTLED',
    medfee_sumamt,
    fund_pay_sumamt,
    psn_part_amt,
    acct_pay: yuan(own),
    acct_mulaid_pay: yuan(relatives),
    psn_cash_pay: yuan(cash),
    balc: yuan(entries[0]?.account === psn_no ? entries[0].balanceAfter : 0), // an own account not drawn on was empty
    allocation,
  });
  const headers = {
    ce_specversion: '1.0',
    ce_type: 'settlement.settled',
    ce_id: `S${claim_id}`,
    ce_source: 'bare',
    ce_time: setl_time,
    'content-type': 'application/json',
  };
  return { key: psn_no, value, headers };
}
