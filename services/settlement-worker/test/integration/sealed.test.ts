import { findHeld, findQuarantines, Ledger, leaveOrder, readOrder } from '@repo/ledger';
import { type Applied, type BatchProcessor, HaltError, type InputRecord, type Lease } from '@repo/messaging';
import { Envelopes, newKey, Unopened } from '@repo/sealing';
import { shardStore, withQuarantine } from '@repo/shard-worker';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expireRefunds, type SettleDeps, settleBatch, settleHeld } from '../../src/settle.ts';
import { ALL_APPLIED, account, acquire, load, openSettling, SHARD, timestampMs } from './shard.fixture.ts';

const CERTIFICATE = '420106198811230059';
const [OLD, NEW] = [newKey(), newKey()];

let deps: SettleDeps;
let ledger: Ledger;
let owner: Ledger;
let lease: Lease;
let worker: BatchProcessor;

beforeEach(async () => {
  const opened = await openSettling(60_000);
  ({ deps } = opened);
  ledger = deps.ledger;
  owner = await Ledger.open({ url: opened.url, name: 'owner' });
  await load(deps, account('P1', '100.00'), account('P2', '100.00'));
  await begin(OLD);
});
afterEach(async () => {
  await ledger.close();
  await owner.close();
});

/** A worker that begins here, with these keys. */
async function begin(...keys: [string, ...string[]]): Promise<void> {
  deps = { ...deps, targets: { ...deps.targets, envelopes: Envelopes.of(...keys) } };
  const { policyOf, targets } = deps;
  const core = {
    apply: (at: Lease, records: readonly InputRecord[]) => settleBatch(at, records, deps),
    applyHeld: (...[tx, place, records]: Parameters<NonNullable<Parameters<typeof withQuarantine>[0]['applyHeld']>>) =>
      settleHeld(tx, place, records, deps),
    doWork: (...[at, share]: [Lease, Parameters<typeof expireRefunds>[2]]) => expireRefunds(at, deps, share),
  };
  worker = withQuarantine(core, { ledger, policyOf, targets, lookEveryMs: 0 });
  lease = await acquire(ledger);
}

function message(type: string, person: string, value: object): InputRecord {
  const headers = [
    ['ce_type', Buffer.from(type)],
    ['x-certno', Buffer.from(CERTIFICATE)],
  ] as const;
  const text = JSON.stringify({ ...value, psn_no: person, certno: CERTIFICATE });
  return { offset: 0n, key: Buffer.from(person), value: Buffer.from(text), headers, timestampMs };
}
const claim = (claimId: string, person: string, more = {}) =>
  message('claim.submitted', person, {
    ...{ claim_id: claimId, mdtrt_id: 'M1', fixmedins_code: 'H1', designated: true, med_type: '11' },
    ...{ fix_blng_admdvs: '210102', setl_time: '2025-03-10T10:00:00+08:00' },
    ...{ medfee_sumamt: '10.00', fund_pay_sumamt: '0.00', psn_part_amt: '10.00', ...more },
  });
const broken = (claimId: string, person: string) => claim(claimId, person, { psn_part_amt: '1.005' });
const refund = (refundId: string, claimId: string, person: string) =>
  message('claim.refunded', person, { refund_id: refundId, claim_id: claimId, at: '2025-03-10T11:00:00+08:00' });

/** Takes messages as the log would bring them, in one batch. */
async function send(...messages: readonly InputRecord[]): Promise<Applied> {
  const records = messages.map((record, n) => ({ ...record, offset: lease.nextOffset + BigInt(n) }));
  return moved(await worker.apply(lease, records));
}
/** Sets one aside, as if the worker had failed on it. */
async function hold(record: InputRecord): Promise<bigint> {
  const { nextOffset } = lease;
  const applied = await worker.quarantine?.(lease, { ...record, offset: nextOffset }, new Error('it fails'));
  if (applied !== undefined) moved(applied);
  return nextOffset;
}
function moved(applied: Applied): Applied {
  lease = { ...lease, nextOffset: applied.nextOffset };
  return applied;
}
const answersOf = ({ rows }: Applied) =>
  rows.map(({ topic, value, headers }) =>
    topic === 'dead'
      ? `dead ${headers.find(([name]) => name === 'gongji-code')?.[1]}`
      : `${JSON.parse(String(value)).refund_id ?? JSON.parse(String(value)).claim_id} ${JSON.parse(String(value)).status}`,
  );
async function idle(): Promise<string[]> {
  const answers: string[] = [];
  for (
    let applied = await worker.applyIdle?.(lease, ALL_APPLIED);
    applied;
    applied = await worker.applyIdle?.(lease, ALL_APPLIED)
  )
    answers.push(...answersOf(moved(applied)));
  return answers;
}
const order = (action: 'RELEASE' | 'DROP', offset: bigint) =>
  leaveOrder(
    owner,
    { ...SHARD, offset },
    { action, code: action === 'DROP' ? 'EVENT_UNREADABLE' : null, by: 't', reason: 't' },
  );

/** What the next owner of the shard would publish, having these keys. */
const outboxWith = (...keys: [string, ...string[]]) =>
  shardStore(ledger, { ...deps.targets, envelopes: Envelopes.of(...keys) }).loadOutbox(SHARD, 0n, 100);

/** The tables in which the number stands, in whatever column: as text, as bytes, or in the base64 of a header. */
async function tablesWithCertificate(): Promise<string[]> {
  const ways = [CERTIFICATE, Buffer.from(CERTIFICATE).toString('hex'), Buffer.from(CERTIFICATE).toString('base64')];
  const tables = await owner.rows<{ name: string }>(
    `select quote_ident(nspname) || '.' || quote_ident(relname) as name from pg_class join pg_namespace on relnamespace = pg_namespace.oid
     where nspname not in ('pg_catalog', 'information_schema') and relkind in ('r', 'm') order by 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await owner.rows<{ row: string }>(`select each::text as row from ${name} as each`);
    if (rows.some(({ row }) => ways.some((way) => row.includes(way))))
      found.push(name.replace(/^public\.|_\d.*$/g, ''));
  }
  return found;
}

test('what dead letters, held messages and waiting refunds say is in no column of any table', async () => {
  expect(answersOf(await send(broken('C1', 'P1'), refund('R2', 'C2', 'P1')))).toEqual([
    'C1 REJECTED',
    'dead CLAIM_AMOUNT_INVALID',
  ]);
  await hold(claim('C3', 'P2'));
  expect(answersOf(await send(claim('C4', 'P2')))).toEqual([]);
  const [count] = await owner.rows(
    `select (select count(*)::int from outcome where dest = 'D') as dead,
       (select count(*)::int from quarantined_message) as held, (select count(*)::int from parked_refund) as waiting`,
  );
  expect(count).toEqual({ dead: 1, held: 2, waiting: 1 });
  expect(await tablesWithCertificate()).toEqual([]);
  // As a version before would have left it: the search finds it.
  await owner.rows(`update quarantined_message set headers = '[]', value = $1 where log_offset = 3`, [
    Buffer.from(CERTIFICATE),
  ]);
  expect(await tablesWithCertificate()).toEqual(['quarantined_message']);
});

test('why a message is a dead letter stands in clear, where its index looks', async () => {
  await send(broken('C1', 'P1'));
  const [stored] = await owner.rows<{ stamp: string; key: Buffer }>(`select stamp, key from outcome where dest = 'D'`);
  const { sealed, note } = JSON.parse(stored?.stamp ?? '');
  expect(sealed).toBe(broken('C1', 'P1').value?.length);
  expect(note).toMatchObject({ code: 'CLAIM_AMOUNT_INVALID', topic: 'claims', partition: 0, offset: '0' });
  expect(stored?.stamp).toMatch(/^\{"sealed":\d+,"note":\{"code":"CLAIM_AMOUNT_INVALID".*"at":"[^"]*"\}\}$/);
  expect(stored?.key).toEqual(Buffer.from('P1'));
});

describe('after a crash between commit and publication', () => {
  let committed: Applied['rows'];
  beforeEach(async () => {
    ({ rows: committed } = await send(broken('C1', 'P1'), claim('C2', 'P2'), broken('C3', 'P1')));
    expect(committed).toHaveLength(5);
  });

  test('the next owner publishes what would have been, to the byte', async () => {
    const loaded = await outboxWith(OLD);
    expect(loaded).toEqual(committed);
    const dead = loaded.find(({ topic }) => topic === 'dead');
    expect(dead?.value).toEqual(broken('C1', 'P1').value);
    expect(dead?.headers.slice(0, 2)).toEqual(broken('C1', 'P1').headers);
  });

  test('it opens what was sealed before a new key was put on top', async () => {
    expect(await outboxWith(NEW, OLD)).toEqual(committed);
  });

  test('it publishes what a version before this one left in clear', async () => {
    const dead = committed.filter(({ topic }) => topic === 'dead');
    for (const { seq, headers, value } of dead) {
      const original = headers
        .filter(([name]) => !name.startsWith('gongji-'))
        .map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]);
      await owner.rows(
        `update outcome set payload = $2, stamp = regexp_replace(stamp, '^\\{"sealed":\\d+,', $3) where seq = $1`,
        [seq, value, `{"headers":${JSON.stringify(original)},`],
      );
    }
    expect(await outboxWith(OLD)).toEqual(committed);
  });

  test.for<[string, [string, ...string[]], string]>([
    ['the key is not there', [NEW], 'select 1'],
    [
      'a row was changed',
      [OLD],
      `update outcome set payload = set_byte(payload, 300, 46) where dest = 'D' and seq = 2`,
    ],
    [
      'a message stands in another’s place',
      [OLD],
      `update outcome set payload = (select payload from outcome where dest = 'D' and seq = 5) where seq = 2`,
    ],
  ])('the shard halts with a reason, and publishes nothing else instead, where %s', async ([, keys, damage]) => {
    await owner.rows(damage);
    const error = await outboxWith(...keys).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(HaltError);
    expect((error as HaltError).reason).toBe('outbox-unopened');
    for (const secret of [CERTIFICATE, ...keys]) expect(String(error)).not.toContain(secret);
  });

  test('where its key is lost for good, the statement of the runbook leaves of it why and where, and all else goes on', async () => {
    await owner.rows(
      `update outcome set payload = null, stamp = regexp_replace(stamp, '^\\{"sealed":\\d+,', '{"headers":[],')
       where dest = 'D' and stamp like '{"sealed":%' and seq > (select published_seq from shard where shard.shard_id = outcome.shard_id)`,
    );
    const loaded = await outboxWith(NEW);
    expect(loaded.map(({ topic, value }) => [topic, value === null])).toEqual(
      committed.map(({ topic }) => [topic, topic === 'dead']),
    );
    const ours = ({ headers }: (typeof committed)[number]) => headers.filter(([name]) => name.startsWith('gongji-'));
    expect(loaded.map(ours)).toEqual(committed.map(ours));
  });
});

describe('a held message', () => {
  test('is released whichever key it was sealed with, and as a version before left it', async () => {
    const first = await hold(claim('C1', 'P1'));
    await begin(NEW, OLD);
    await send(claim('C2', 'P1'), claim('C3', 'P1'));
    const clear = claim('C3', 'P1');
    await owner.rows('update quarantined_message set headers = $1, value = $2 where log_offset = 2', [
      JSON.stringify(clear.headers.map(([name, bytes]) => [name, bytes.toString('base64')])),
      clear.value,
    ]);
    await order('RELEASE', first);
    expect(await idle()).toEqual(['C1 SETTLED', 'C2 SETTLED', 'C3 SETTLED']);
  });

  test('tells how large it is without a key', async () => {
    await hold(claim('C1', 'P1'));
    const bytes = claim('C1', 'P1').value?.length;
    expect((await findQuarantines(owner))[0]?.bytes).toBe(bytes);
    // No list of headers: a version that cannot open looks for one, and fails.
    expect(await owner.rows('select headers from quarantined_message')).toEqual([{ headers: { sealed: bytes } }]);
  });

  test('stays held where its key is lost, says so, and can be dropped: its place is left', async () => {
    const first = await hold(claim('C1', 'P1'));
    await begin(NEW);
    await send(claim('C2', 'P1'));
    const release = await order('RELEASE', first);
    expect(await idle()).toEqual([]);
    expect(await readOrder(owner, 0, release)).toMatchObject({ result: 'FAILED' });
    const [held] = await findHeld(owner, { ...SHARD, offset: first }, { limit: 1 });
    expect(held?.failure).toMatch(/^Unopened KEY_MISSING /);
    await order('DROP', first);
    const dropped = await worker.applyIdle?.(lease, ALL_APPLIED);
    expect(dropped?.rows).toMatchObject([{ topic: 'dead', key: Buffer.from('P1'), value: null }]);
    const detail = dropped?.rows[0]?.headers.find(([name]) => name === 'gongji-detail')?.[1];
    expect(String(detail)).toMatch(/^sealed by a key that is not here, or changed: see its place/);
    await order('RELEASE', first + 1n);
    expect(await idle()).toEqual(['C2 SETTLED']);
  });
});

describe('a refund that waits', () => {
  beforeEach(async () => {
    expect(answersOf(await send(refund('R1', 'C1', 'P1')))).toEqual([]);
  });

  test('is answered after its key was replaced', async () => {
    await begin(NEW, OLD);
    expect(answersOf(await send(claim('C1', 'P1')))).toEqual(['C1 SETTLED', 'R1 REFUNDED']);
  });

  test('is answered where a version before left it in clear', async () => {
    const { headers, value } = refund('R1', 'C1', 'P1');
    await owner.rows('update parked_refund set headers = $1, value = $2', [
      JSON.stringify(headers.map(([name, bytes]) => [name, bytes.toString('base64')])),
      value,
    ]);
    expect(answersOf(await send(claim('C1', 'P1')))).toEqual(['C1 SETTLED', 'R1 REFUNDED']);
  });

  test('holds its patient alone where its key is missing, and is answered when the key is back', async () => {
    await begin(NEW);
    await expect(send(claim('C1', 'P1'))).rejects.toBeInstanceOf(Unopened);
    await hold(claim('C1', 'P1'));
    // Once it is held, the same claim sent again fails nobody's batch.
    expect(answersOf(await send(claim('C1', 'P1'), claim('C2', 'P2')))).toEqual(['C2 SETTLED']);
    await begin(NEW, OLD);
    await order('RELEASE', 1n);
    expect(await idle()).toEqual(['C1 SETTLED', 'R1 REFUNDED']);
  });

  test('holds its patient alone where its key is missing when its time is up', async () => {
    await owner.rows(`update parked_refund set until = now() - interval '1 hour'`);
    await begin(NEW);
    expect(await idle()).toEqual([]);
    const [quarantine] = await findQuarantines(owner, { key: 'P1' });
    expect(quarantine).toMatchObject({ offset: -1n, failure: expect.stringMatching(/^Unopened KEY_MISSING /) });
    expect(answersOf(await send(claim('C2', 'P2')))).toEqual(['C2 SETTLED']);
    await begin(NEW, OLD);
    await order('RELEASE', -1n);
    expect(await idle()).toEqual(['R1 REFUSED']);
  });
});
