import { Ledger, migrate, schemaKey } from '@repo/ledger';
import type { Applied, InputRecord, Lease } from '@repo/messaging';
import { cloneDatabase } from '@repo/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyMembers, type MemberDeps } from '../../src/apply-members.ts';
import { doIdleWork } from '../../src/idle-work.ts';
import { Pace } from '../../src/pace.ts';
import { memberDeps } from './members.fixture.ts';

const timestampMs = Date.parse('2025-04-02T00:00:00+08:00');
let ledger: Ledger;
let deps: MemberDeps;
let lease: Lease;

beforeAll(async () => {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  ledger = await Ledger.open({ url, role: 'gongji_worker', name: 'test' });
  const shipped = await memberDeps(ledger, 1);
  deps = {
    ...shipped,
    // 440104 begins to pause on 2025-08-01.
    policyOf: (area, on) => {
      const policy = shipped.policyOf(area, on);
      return area === '440104' && on < '2025-08-01' ? { ...policy, pauseOnArrears: false } : policy;
    },
  };
  await acquire();
});
afterAll(() => ledger.close());

async function acquire(): Promise<void> {
  const shard = { topic: 'members', partition: 0 };
  const { epoch, nextOffset, outSeq, publishedSeq } = await ledger.acquireShard(shard, 'test', 1);
  lease = { shard, epoch, nextOffset, outSeq, publishedSeq };
}

interface Sent {
  readonly type: string;
  readonly key: string | null;
  readonly value: object;
}

async function send(...messages: readonly Sent[]) {
  const records = messages.map(
    ({ type, key, value }, n): InputRecord => ({
      offset: lease.nextOffset + BigInt(n),
      key: key === null ? null : Buffer.from(key),
      value: Buffer.from(JSON.stringify(value)),
      headers: [['ce_type', Buffer.from(type)]],
      timestampMs,
    }),
  );
  return told(await applyMembers(lease, records, deps));
}

function told({ nextOffset, rows }: Applied) {
  lease = { ...lease, nextOffset };
  return rows.map(({ value }) => JSON.parse(String(value)));
}

/** Lets the shard do all that waits, in a fresh tenure before each step, as after a crash. */
async function idle() {
  const events: unknown[] = [];
  for (;;) {
    await acquire();
    const applied = await doIdleWork(lease, deps, new Pace(1_000_000));
    if (applied === null) return events;
    events.push(...told(applied));
  }
}

const opened = (psnNo: string, employment = 'ACTIVE'): Sent => ({
  type: 'account.opened',
  key: psnNo,
  value: {
    psn_no: psnNo,
    insutype: '310',
    psn_type: employment === 'RETIRED' ? '1201' : '1101',
    employment,
    insu_admdvs: '210102',
    insured: true,
    prior_year: '100.00',
    as_of: '2025-02-10T00:00:00+08:00',
  },
});
const bound = (payer: string): Sent => ({
  type: 'binding.opened',
  key: payer,
  value: {
    binding_id: `B-${payer}`,
    payer,
    beneficiary: 'CHILD',
    relation: 'CHILD',
    bound_at: '2025-02-10T00:00:00+08:00',
  },
});
const check = (checkId: string, on: string): Sent => ({
  type: 'arrears.check',
  key: null,
  value: { check_id: checkId, on },
});

test('the check marks who missed a month, pauses their sharing once, and leaves everybody else alone', async () => {
  await send(
    ...['LATE', 'PAID', 'RETIRED', 'CHILD'].map((who) => opened(who, who === 'RETIRED' ? 'RETIRED' : 'ACTIVE')),
    ...['LATE', 'PAID', 'RETIRED'].map(bound),
    ...['PAID', 'CHILD'].map((psn_no) => ({
      type: 'contribution.received',
      key: psn_no,
      value: { contribution_id: `K-${psn_no}`, psn_no, period: '2025-03', at: '2025-03-20T00:00:00+08:00' },
    })),
  );
  expect(await send(check('night', '2025-04-01'))).toEqual([]);
  expect(await idle()).toEqual([
    {
      binding_id: 'B-LATE',
      payer: 'LATE',
      beneficiary: 'CHILD',
      reason: 'ARREARS',
      pause_reasons: ['ARREARS'],
      state: 'PAUSED',
      effective_on: '2025-04-01',
      cause: { ce_type: 'arrears.check', id: 'night' },
    },
  ]);
  const [run] = await ledger.rows('select checked, marked, paused, finished from arrears_check');
  expect(run).toEqual({ checked: '4', marked: '1', paused: '1', finished: true });
});

test('the same check again, and another of the same date, change nothing', async () => {
  await send(check('night', '2025-04-01'), check('again', '2025-04-01'));
  expect(await idle()).toEqual([]);
});

test('a stretch waits for its turn, and what postings left does not wait for it', async () => {
  let now = 0;
  const pace = new Pace(1, () => now);
  await send(check('paced', '2025-04-02'));
  await ledger.rows(
    `insert into shard_work (partition, payer, kind, due_on, detail) values (0, 'PAID', 'BALANCE', '2025-04-02', $1)`,
    [{ cause: { type: 'test', id: 'test' }, at: timestampMs, empty: true }],
  );
  const finished = async () =>
    (await ledger.rows(`select from arrears_check where finished and check_id = 'paced'`)).length;
  const step = async () => {
    const applied = await doIdleWork(lease, deps, pace);
    return applied === null ? null : told(applied);
  };
  expect(pace.begin(10)).toBe(true);
  expect(await step()).toMatchObject([{ payer: 'PAID', reason: 'ZERO_BALANCE' }]);
  expect(await step()).toBeNull();
  expect(await finished()).toBe(0);
  now = 10_000;
  expect(await step()).toEqual([]);
  expect(await finished()).toBe(1);
  // Four persons were looked at, so four seconds of rest are due and not those of a whole stretch.
  now = 13_999;
  expect(pace.begin(1)).toBe(false);
  now = 14_000;
  expect(pace.begin(1)).toBe(true);
});

test('paying the month resumes, and the next month is missed anew', async () => {
  const paid = { psn_no: 'LATE', period: '2025-03', at: '2025-04-05T09:00:00+08:00' };
  expect(await send({ type: 'contribution.recovered', key: 'LATE', value: paid })).toMatchObject([
    { reason: 'ARREARS', pause_reasons: [], state: 'ACTIVE', effective_on: '2025-04-05' },
  ]);
  await send(check('may', '2025-05-01'));
  const paused = (await idle()) as { payer: string; effective_on: string }[];
  expect(paused.map(({ payer, effective_on }) => `${payer} ${effective_on}`).sort()).toEqual([
    'LATE 2025-05-01',
    'PAID 2025-05-01',
  ]);
});

test('a version that begins to pause, and an import that left a binding active, are seen to by the next check, once', async () => {
  const behind = (psnNo: string, area: string): Sent => {
    const { type, key, value } = opened(psnNo, 'NONE');
    return {
      type,
      key,
      value: { ...value, insu_admdvs: area, unpaid_periods: ['2025-01'], arrears_since: '2025-02-01' },
    };
  };
  await send(behind('MOVED', '440104'), bound('MOVED'), behind('IMPORTED', '210102'), bound('IMPORTED'));
  const summary = (told: unknown) =>
    (told as { payer: string; state: string; effective_on: string }[]).map(
      ({ payer, state, effective_on }) => `${payer} ${state} ${effective_on}`,
    );
  const checked = async (on: string) => {
    await send(check(on, on));
    return summary(await idle()).filter((line) => /^(MOVED|IMPORTED)/.test(line));
  };
  expect(await checked('2025-07-31')).toEqual(['IMPORTED PAUSED 2025-02-01']);
  expect(await checked('2025-08-01')).toEqual(['MOVED PAUSED 2025-08-01']);
  expect(await checked('2025-08-02')).toEqual([]);
  const move = (on: string, area: string): Sent => ({
    type: 'account.changed',
    key: 'IMPORTED',
    value: { change_id: on, psn_no: 'IMPORTED', at: `${on}T09:00:00+08:00`, insu_admdvs: area },
  });
  // Told in the order of the topic, whatever the dates.
  expect(summary(await send(move('2025-07-20', '440104')))).toEqual(['IMPORTED ACTIVE 2025-07-20']);
  expect(summary(await send(move('2025-08-03', '210102')))).toEqual(['IMPORTED PAUSED 2025-08-01']);
});

test('a check for other shards than there are is a dead letter', async () => {
  const wrong = { ...check('odd', '2025-06-01'), value: { check_id: 'odd', on: '2025-06-01', shard: 3, shards: 9 } };
  const applied = await applyMembers(
    lease,
    [
      {
        offset: lease.nextOffset,
        key: null,
        value: Buffer.from(JSON.stringify(wrong.value)),
        headers: [['ce_type', Buffer.from(wrong.type)]],
        timestampMs,
      },
    ],
    deps,
  );
  const [row] = applied.rows;
  expect(row?.topic).toBe('dead');
  expect(row?.headers.find(([name]) => name === 'gongji-code')?.[1].toString()).toBe('EVENT_MALFORMED');
});
