import { findQuarantines, type Ledger } from '@repo/ledger';
import { type InputRecord, type Lease, TOPIC_BYTES_MAX } from '@repo/messaging';
import { withQuarantine } from '@repo/shard-worker';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type SettleDeps, settleBatch, settleHeld } from '../../src/settle.ts';
import { account, acquire, load, openSettling, SHARD, timestampMs } from './shard.fixture.ts';

/** As long as an id may be: 200 characters, each of three bytes. */
const long = (name: string): string => name.padEnd(200, '长');
/** More skips of ids so long than the topic takes in one outcome. */
const TOO_MANY = 7_000;

let ledger: Ledger;
let deps: SettleDeps;
let lease: Lease;

beforeEach(async () => {
  ({ deps } = await openSettling(0));
  ledger = deps.ledger;
  lease = await acquire(ledger);
});
afterEach(() => ledger.close());

/** A patient with so many paused bindings of one payer, each of which is a skip of every claim. */
async function bind(patient: string, count: number): Promise<void> {
  const bindings = Array.from({ length: count }, (_, n) => ({
    ...{ ce_type: 'binding.opened', binding_id: long(`${patient} ${n} `), payer: long('payer '), beneficiary: patient },
    ...{ relation: 'SPOUSE', bound_at: '2025-01-02T00:00:00+08:00', state: 'PAUSED', pause_reasons: ['USER'] },
  }));
  await load(deps, account(patient, '0.00', '10.00'), ...bindings);
}

const claim = (offset: number, psn_no: string, headers: InputRecord['headers'] = []): InputRecord => ({
  offset: BigInt(offset),
  key: Buffer.from(psn_no),
  value: Buffer.from(
    JSON.stringify({
      ...{ claim_id: `C${offset}`, mdtrt_id: 'M1', psn_no, fixmedins_code: 'H1', designated: true, med_type: '11' },
      ...{ fix_blng_admdvs: '210102', setl_time: '2025-03-10T10:00:00+08:00' },
      ...{ medfee_sumamt: '100.00', fund_pay_sumamt: '0.00', psn_part_amt: '100.00' },
    }),
  ),
  headers: [['ce_type', Buffer.from('claim.submitted')], ...headers],
  timestampMs,
});

test('an outcome larger than its topic takes is known before it commits: its claim is held, and the others go on', async () => {
  await load(deps, account(long('payer '), '0.00', '10.00'));
  await bind('P1', TOO_MANY);
  await bind('P2', TOO_MANY - 400);
  const worker = withQuarantine(
    {
      apply: (at, records) => settleBatch(at, records, deps),
      applyHeld: (tx, place, records) => settleHeld(tx, place, records, deps),
    },
    { ledger, policyOf: deps.policyOf, targets: deps.targets },
  );
  const tooLarge = claim(0, 'P1');
  const refused = await worker.apply(lease, [tooLarge, claim(1, 'P2')]).catch((error: Error) => error);
  expect(refused).toBeInstanceOf(Error);
  expect((refused as Error).name).toBe('OutcomeTooLarge');
  expect(await ledger.rows('select from outcome')).toEqual([]);
  expect(await ledger.rows(`select from entry where kind = 'CLAIM'`)).toEqual([]);

  await worker.quarantine?.(lease, tooLarge, refused);
  expect(await findQuarantines(ledger, SHARD)).toMatchObject([
    { messages: 1, failure: expect.stringMatching(/^OutcomeTooLarge /) },
  ]);
  const { rows } = await worker.apply({ ...lease, nextOffset: 1n }, [claim(1, 'P2'), claim(2, 'P1')]);
  // The other's is nearly as large, and fits; a later claim of the first waits behind it.
  expect(rows).toHaveLength(1);
  expect(rows[0]?.value?.length).toBeGreaterThan(TOPIC_BYTES_MAX.results * 0.9);
  expect(rows[0]?.value?.length).toBeLessThan(TOPIC_BYTES_MAX.results);
}, 120_000);

test('of a message larger than a dead letter may be only the place and the reason are kept', async () => {
  const value = Buffer.alloc(TOPIC_BYTES_MAX.deadLetters, ' ');
  const { rows } = await settleBatch(lease, [{ ...claim(0, 'P1'), value }], deps);
  expect(rows).toMatchObject([{ topic: 'dead', value: null, key: Buffer.from('P1') }]);
  const headers = Object.fromEntries((rows[0]?.headers ?? []).map(([name, text]) => [name, text.toString()]));
  expect(headers).toMatchObject({ 'gongji-code': 'EVENT_TOO_LARGE', 'gongji-topic': 'claims', 'gongji-offset': '0' });
  expect(headers['gongji-detail']).toMatch(/^94\d+ bytes, more than a dead letter may hold/);

  const whole = Buffer.alloc(TOPIC_BYTES_MAX.results, ' ');
  const kept = await settleBatch({ ...lease, nextOffset: 1n }, [{ ...claim(1, 'P1'), value: whole }], deps);
  expect(kept.rows[0]?.value?.length).toBe(whole.length);
});

test('of a batch that is not read only the place and the reason are kept, and what comes behind it is settled', async () => {
  await load(deps, account('P1', '0.00', '100.00'));
  const unread = { ...claim(6, 'P1'), key: null, value: null, headers: [] };
  const records = [{ ...unread, unread: { isTooLarge: true, from: 0n, count: 7 } }, claim(7, 'P1')];
  const { rows } = await settleBatch(lease, records, deps);
  expect(rows).toMatchObject([{ topic: 'dead', key: null, value: null }, { topic: 'results' }]);
  const headers = Object.fromEntries((rows[0]?.headers ?? []).map(([name, text]) => [name, text.toString()]));
  expect(headers).toMatchObject({ 'gongji-code': 'EVENT_TOO_LARGE', 'gongji-offset': '6' });
  expect(headers['gongji-detail']).toContain('offsets 0 to 6');
});

test('a trace context longer than any is not carried through', async () => {
  await load(deps, account('P1', '0.00', '10.00'));
  const traced = (offset: number, text: string) => claim(offset, 'P1', [['traceparent', Buffer.from(text)]]);
  const right = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const { rows } = await settleBatch(lease, [traced(0, right), traced(1, 'x'.repeat(257))], deps);
  const carried = rows.map(({ headers }) => headers.find(([name]) => name === 'traceparent')?.[1].toString());
  expect(carried).toEqual([right, undefined]);
});
