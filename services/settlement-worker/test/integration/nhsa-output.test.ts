import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DECODE_LIMITS, decodeMembers } from '@repo/contracts';
import type { PolicyLookup } from '@repo/domain';
import { Ledger, loadMembers, migrate, schemaKey } from '@repo/ledger';
import type { InputRecord, Lease } from '@repo/messaging';
import { loadPolicies } from '@repo/policy';
import { Envelopes, newKey } from '@repo/sealing';
import { contentHash, shardStore } from '@repo/shard-worker';
import { cloneDatabase } from '@repo/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SettleDeps, settleBatch } from '../../src/settle.ts';

type Wire = Readonly<Record<string, unknown>>;

const timestampMs = Date.parse('2025-03-10T10:00:05+08:00');
const shard = { topic: 'claims', partition: 0 };
/** Provinces that print totals in each of the four ways: does the account total hold the relatives', the fund total the account's? */
const REGIONS = [
  { area: '510100', mulaid: false, fund: false },
  { area: '520100', mulaid: true, fund: false },
  { area: '530100', mulaid: false, fund: true },
  { area: '540100', mulaid: true, fund: true },
] as const;

let ledger: Ledger;
let deps: SettleDeps;

beforeAll(async () => {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  ledger = await Ledger.open({ url, role: 'gongji_worker', name: 'test' });
  deps = {
    ledger,
    policyOf: await policies(),
    limits: DECODE_LIMITS,
    refundWaitMs: 0,
    nhsaOutput: true,
    targets: {
      results: 'results',
      deadLetters: 'dead',
      deadLetterBase: 0,
      source: '/test',
      envelopes: Envelopes.of(newKey()),
    },
  };
  const events = REGIONS.flatMap(({ area }) => [
    opened(`A${area}`, area, '40.00'),
    opened(`B${area}`, area, '60.00'),
    member('binding.opened', {
      ...{ binding_id: `S${area}`, payer: `B${area}`, beneficiary: `A${area}`, relation: 'SPOUSE' },
      bound_at: '2025-01-05T09:00:00+08:00',
    }),
  ]);
  await loadMembers(ledger, events, { policyOf: deps.policyOf, partitionOf: () => 0 });
});
afterAll(() => ledger.close());

async function policies(): Promise<PolicyLookup> {
  const dir = await mkdtemp(join(tmpdir(), 'nhsa-output-'));
  try {
    for (const { area, mulaid, fund } of REGIONS) {
      const flags = { nhsaAcctPayIncludesMulaid: mulaid, nhsaFundIncludesAcct: fund };
      const pack = { regionCode: area, effectiveFrom: '2025-01-01', effectiveTo: null, ...flags };
      await writeFile(join(dir, `${area}.json`), JSON.stringify(pack));
    }
    const loaded = await loadPolicies({ dir });
    if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
    return loaded.policies.policyAt;
  } finally {
    await rm(dir, { recursive: true });
  }
}

function message(type: string, key: string, value: object, offset = 0n): InputRecord {
  const headers = [['ce_type', Buffer.from(type)]] as const;
  return { offset, key: Buffer.from(key), value: Buffer.from(JSON.stringify(value)), headers, timestampMs };
}

function member(type: string, value: Wire) {
  const decoded = decodeMembers(message(type, String(value.payer ?? value.psn_no), value), DECODE_LIMITS);
  if (decoded.kind !== 'MEMBER') throw new Error(`${type} decodes`);
  const { event, identity, content } = decoded;
  if (event.kind !== 'ACCOUNT_OPENED' && event.kind !== 'BINDING_OPENED') throw new Error(`${type} can be loaded`);
  return { event, identity, contentHash: contentHash(content) };
}

const opened = (psn_no: string, insu_admdvs: string, current_year: string) =>
  member('account.opened', {
    ...{ psn_no, insutype: '310', psn_type: '1101', employment: 'ACTIVE', insu_admdvs, insured: true },
    ...{ prior_year: '0.00', current_year, as_of: '2025-01-01T00:00:00+08:00' },
  });

/** A bill of 350.00: 200.00 from the fund, then 40.00 own, 60.00 from the spouse and 50.00 in cash where an account is left to pay. */
const claim = (claim_id: string, psn_no: string, area: string, over: Wire = {}): Wire => ({
  ...{
    claim_id,
    mdtrt_id: 'M1',
    psn_no,
    fixmedins_code: 'H1',
    designated: true,
    fix_blng_admdvs: area,
    med_type: '11',
  },
  ...{ setl_time: '2025-03-10T10:00:00+08:00', medfee_sumamt: '350.00', fund_pay_sumamt: '200.00' },
  ...{ psn_part_amt: '150.00', ...over },
});

/** Settles claims as the worker does, and answers what is handed to the publisher: the rows' bytes, and their contents. */
async function settle(claims: readonly Wire[], over: Partial<SettleDeps> = {}) {
  const { epoch, nextOffset, outSeq, publishedSeq } = await ledger.acquireShard(shard, 'test', 1);
  const lease: Lease = { shard, epoch, nextOffset, outSeq, publishedSeq };
  const records = claims.map((each, i) =>
    message('claim.submitted', String(each.psn_no), each, nextOffset + BigInt(i)),
  );
  const { rows } = await settleBatch(lease, records, { ...deps, ...over });
  return rows.map(({ value }) => ({
    bytes: Buffer.from(value ?? ''),
    fields: JSON.parse(String(value)) as Wire & { nhsa?: { infno: string; setlinfo: Wire } },
  }));
}

test.each([
  [REGIONS[0], { acct_pay: '40.00', fund_pay_sumamt: '200.00' }],
  [REGIONS[1], { acct_pay: '100.00', fund_pay_sumamt: '200.00' }],
  [REGIONS[2], { acct_pay: '40.00', fund_pay_sumamt: '240.00' }],
  [REGIONS[3], { acct_pay: '100.00', fund_pay_sumamt: '300.00' }],
])('an outcome carries the totals as the patient’s region prints them: %o', async ({ area }, totals) => {
  const [outcome] = await settle([claim(`C${area}`, `A${area}`, area)]);
  const { nhsa, ...plain } = outcome?.fields ?? {};
  const apart = { acct_mulaid_pay: '60.00', psn_cash_pay: '50.00', psn_part_amt: '150.00', medfee_sumamt: '350.00' };
  expect(nhsa).toMatchObject({ infno: '2207', setlinfo: { ...totals, ...apart, setl_id: plain.setl_id } });
  // The totals of the outcome itself never overlap, whatever the region prints.
  expect(plain).toMatchObject({ ...apart, acct_pay: '40.00', fund_pay_sumamt: '200.00' });
});

test('an inpatient bill, a refusal and a patient nobody knows are rendered too; a refund is not', async () => {
  const area = '540100';
  const [inpatient, refused, stranger] = await settle([
    claim('C-IN', `A${area}`, area, { med_type: '21' }),
    claim('C-FIT', `A${area}`, area, { purpose: 'FITNESS' }),
    claim('C-WHO', 'nobody', area),
  ]);
  expect(inpatient?.fields.nhsa?.infno).toBe('2304');
  for (const each of [refused, stranger]) {
    expect(each?.fields).toMatchObject({
      status: 'REFUSED',
      nhsa: { setlinfo: { acct_pay: '0.00', psn_cash_pay: '150.00' } },
    });
  }
  const { epoch, nextOffset, outSeq, publishedSeq } = await ledger.acquireShard(shard, 'test', 1);
  const refund = { refund_id: 'R1', claim_id: 'C-IN', psn_no: `A${area}`, at: '2025-03-10T11:00:00+08:00' };
  const record = message('claim.refunded', refund.psn_no, refund, nextOffset);
  const { rows } = await settleBatch({ shard, epoch, nextOffset, outSeq, publishedSeq }, [record], deps);
  expect(JSON.parse(String(rows[0]?.value))).toMatchObject({ status: 'REFUNDED', amount: '150.00' });
  expect(String(rows[0]?.value)).not.toContain('nhsa');
});

test('switched off, an outcome is the same without it', async () => {
  const [off] = await settle([claim('C-OFF', 'A520100', '520100')], { nhsaOutput: false });
  expect(off?.fields).not.toHaveProperty('nhsa');
  const [on] = await settle([claim('C-ON0', 'A520100', '520100')]);
  const { nhsa, ...plain } = on?.fields ?? {};
  expect(nhsa).toBeDefined();
  expect(Object.keys(plain)).toEqual(Object.keys(off?.fields ?? {}));
});

test('whoever takes over publishes the stored bytes, whatever the switch and the rules say by then', async () => {
  const [first] = await settle([claim('C-AGAIN', 'A530100', '530100')]);
  const other = shardStore(ledger, deps.targets);
  const { publishedSeq } = await other.acquire(shard, 'another', 1);
  const pending = await other.loadOutbox(shard, publishedSeq, 1_000);
  const again = pending.find(({ value }) => String(value).includes('"C-AGAIN"'));
  expect(again?.value?.equals(first?.bytes ?? Buffer.alloc(0))).toBe(true);
  // Sent again it publishes nothing: what stands was stored with its rendering.
  expect(await settle([claim('C-AGAIN', 'A530100', '530100')], { nhsaOutput: false })).toEqual([]);
});
