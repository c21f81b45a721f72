import { codeOf, findHeld, findQuarantines, Ledger, leaveOrder, readOrder } from '@repo/ledger';
import type { Applied, BatchProcessor, InputRecord, Lease } from '@repo/messaging';
import { type Core, classify, HELD_MAX, HeldRoom, type OrderStep, withQuarantine } from '@repo/shard-worker';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expireRefunds, type SettleDeps, settleBatch, settleHeld } from '../../src/settle.ts';
import { ALL_APPLIED, account, acquire, claim as claimOf, load, openSettling, refund, SHARD } from './shard.fixture.ts';

let ledger: Ledger;
/** As the operator's commands connect: the owner of the tables. */
let owner: Ledger;
let deps: SettleDeps;
let lease: Lease;
let worker: BatchProcessor;
let steps: OrderStep[];
let workHeld: string[];

beforeEach(async () => {
  const opened = await openSettling(60_000);
  deps = opened.deps;
  ledger = deps.ledger;
  owner = await Ledger.open({ url: opened.url, name: 'operator' });
  for (const statement of POISON.split(/;\n(?= {2}(?:grant|create))/)) await owner.rows(statement);
  await load(deps, ...['P1', 'P2', 'P3', 'P4', 'P5'].map((person) => account(person, '100.00')));
  await begin();
});
afterEach(async () => {
  await ledger.close();
  await owner.close();
});

/** A worker that begins here: nothing it knew before is left. */
async function begin(refundWaitMs = 60_000, room = new HeldRoom()): Promise<void> {
  deps = { ...deps, refundWaitMs, room };
  const core: Core = {
    apply: (at, records) => settleBatch(at, records, deps),
    applyHeld: (tx, place, records) => settleHeld(tx, place, records, deps),
    doWork: (at, share) => expireRefunds(at, deps, share),
  };
  steps = [];
  workHeld = [];
  worker = withQuarantine(core, {
    ...quarantineDeps(),
    onOrder: (_, step) => steps.push(step),
    onWorkHeld: ({ partition }, error) => workHeld.push(`${partition} ${codeOf(error)}`),
  });
  lease = await acquire(ledger);
}
const quarantineDeps = () => ({
  ledger,
  policyOf: deps.policyOf,
  targets: deps.targets,
  ...(deps.room && { room: deps.room }),
  lookEveryMs: 0,
});

/** A defect that these claims meet: the database refuses what the worker writes of them, by no condition that passes. */
const POISON = `
  create table poison (event_id text collate "C" primary key);
  grant select on poison to gongji_worker;
  create function poison() returns trigger language plpgsql as $$ begin
    if exists (select from poison where event_id = new.event_id) then raise 'poison'; end if;
    return new; end $$;
  create trigger poison before insert on event_id for each row execute function poison();
  create function spoil() returns trigger language plpgsql as $$ begin raise 'spoilt'; end $$`;
const poison = (...claimIds: readonly string[]) =>
  owner.rows('insert into poison select unnest($1::text[])', [claimIds.map((id) => `claim:${id}`)]);
const cure = () => owner.rows('delete from poison');

const claim = (claimId: string, person: string) => claimOf(claimId, person, '10.00');

/** Sends messages as the log would, one batch of all and, where that fails, of each: answers what is told, in order. */
async function send(...messages: readonly InputRecord[]): Promise<string[]> {
  const records = messages.map((record, n) => ({ ...record, offset: lease.nextOffset + BigInt(n) }));
  return bisect(records);
}
async function bisect(records: readonly InputRecord[]): Promise<string[]> {
  try {
    return told(await worker.apply(lease, records));
  } catch (error) {
    const [first] = records;
    if (records.length > 1) {
      const middle = records.length >> 1;
      return [...(await bisect(records.slice(0, middle))), ...(await bisect(records.slice(middle)))];
    }
    if (worker.quarantine === undefined || first === undefined) throw error;
    return told(await worker.quarantine(lease, first, error));
  }
}

function told({ nextOffset, rows }: Applied): string[] {
  lease = { ...lease, nextOffset };
  return rows.map(({ topic, value, headers }) => {
    if (topic === 'dead') return `dead ${headers.find(([name]) => name === 'gongji-code')?.[1]}`;
    const { claim_id, refund_id, status } = JSON.parse(String(value));
    return `${refund_id ?? claim_id} ${status}`;
  });
}

/** What a shard does between batches until there is nothing left to do. */
async function idle(): Promise<string[]> {
  const lines: string[] = [];
  for (
    let applied = await worker.applyIdle?.(lease, ALL_APPLIED);
    applied;
    applied = await worker.applyIdle?.(lease, ALL_APPLIED)
  )
    lines.push(...told(applied));
  return lines;
}

const order = (action: 'RELEASE' | 'DROP', offset: bigint, code: string | null = null) =>
  leaveOrder(owner, { ...SHARD, offset }, { action, code, by: 'test', reason: 'tried' });
const heldOffsets = async (): Promise<number[]> =>
  (await owner.rows<{ log_offset: string }>('select log_offset from quarantined_message order by log_offset')).map(
    ({ log_offset }) => Number(log_offset),
  );
const isFlagged = async () =>
  (await owner.rows<{ quarantined: boolean }>('select quarantined from shard'))[0]?.quarantined;

describe('a claim that the worker fails on', () => {
  test('is held with all later messages of its patient, in order, and everybody else is settled', async () => {
    await poison('C2');
    const answers = await send(
      claim('C1', 'P1'),
      claim('C2', 'P2'),
      claim('C3', 'P3'),
      claim('C4', 'P2'),
      refund('R4', 'C4', 'P2'),
      claim('C5', 'P1'),
    );
    expect(answers).toEqual(['C1 SETTLED', 'C3 SETTLED', 'C5 SETTLED']);
    expect(await heldOffsets()).toEqual([1, 3, 4]);
    expect(await isFlagged()).toBe(true);
    expect(lease.nextOffset).toBe(6n);
    const [quarantine] = await findQuarantines(owner, { key: 'P2' });
    expect(quarantine).toMatchObject({ topic: 'claims', partition: 0, offset: 1n, messages: 3, failedOffset: 1n });
    expect(quarantine?.failure).toBe('error P0001');
  });

  test.for([
    ['revoke insert on entry from gongji_worker', 'grant insert on entry to gongji_worker'],
    ['alter table event_id rename to elsewhere', 'alter table elsewhere rename to event_id'],
  ] as const)('is not held for what the database lacks: %s', async ([take, give]) => {
    const one = [{ ...claim('C1', 'P1'), offset: lease.nextOffset }];
    await owner.rows(take);
    const failure = await worker.apply(lease, one).catch((error: unknown) => error);
    expect(classify(failure)).toBe('transient');
    await owner.rows(give);
    expect(told(await worker.apply(lease, one))).toEqual(['C1 SETTLED']);
    await poison('C2');
    const defect = await worker
      .apply(lease, [{ ...claim('C2', 'P2'), offset: lease.nextOffset }])
      .catch((error: unknown) => error);
    expect(classify(defect)).toBe('defect');
  });

  test('is told by the class of the error and the place in our code, never by its text', async () => {
    const applied = await worker.quarantine?.(lease, claim('C1', 'P1'), new TypeError('about P1'));
    expect(applied && told(applied)).toEqual([]);
    const [quarantine] = await findQuarantines(owner);
    expect(quarantine?.failure).toMatch(/^TypeError at .*services\/settlement-worker\/test\/\S+:\d+:\d+/);
    expect(quarantine?.failure).not.toContain('P1');
  });

  test('is kept byte for byte: headers in order and repeated, key, value, time', async () => {
    await poison('C2');
    const headers = [
      ['ce_type', Buffer.from('claim.submitted')],
      ['x', Buffer.from([0, 255])],
      ['a', Buffer.from('1')],
      ['x', Buffer.from('')],
    ] as const;
    const odd = { ...claim('C2', 'P2'), headers };
    await send(odd);
    const [held] = await findHeld(owner, { ...SHARD, offset: 0n }, { limit: 10 });
    const { content = odd, ...place } = held ?? {};
    expect(place).toMatchObject({ offset: 0n, key: odd.key, timestampMs: odd.timestampMs });
    expect(deps.targets.envelopes.open({ ...SHARD, offset: 0n }, content)).toEqual({ headers, value: odd.value });
    expect(content).toHaveProperty('sealed');
  });

  test('costs a batch no statement more while nothing is held', async () => {
    const statements: string[] = [];
    const { policyOf } = deps;
    const spied = {
      ...deps,
      policyOf,
      ledger: Object.assign(Object.create(ledger), {
        transact: (work: (tx: never) => Promise<Applied>) =>
          ledger.transact((tx) => {
            const rows = tx.rows.bind(tx);
            tx.rows = ((sql: string, parameters: readonly unknown[]) => {
              statements.push(sql);
              return rows(sql, parameters);
            }) as typeof tx.rows;
            return work(tx as never);
          }),
      }) as Ledger,
    };
    await settleBatch(lease, [claim('C1', 'P1')], spied);
    expect(statements.length).toBeGreaterThan(3);
    expect(statements.filter((sql) => sql.includes('quarantined_message'))).toEqual([]);
  });
});

describe('a release', () => {
  beforeEach(async () => {
    await poison('C1');
    await send(claim('C1', 'P2'), claim('C2', 'P2'), claim('C3', 'P3'), claim('C4', 'P2'));
  });

  test('applies what is held in its order, before anything new of the key', async () => {
    await cure();
    expect(await send(claim('C5', 'P2'))).toEqual([]);
    const id = await order('RELEASE', 0n);
    expect(await send(claim('C6', 'P2'), claim('C7', 'P1'))).toEqual(['C7 SETTLED']);
    expect(await idle()).toEqual(['C1 SETTLED', 'C2 SETTLED', 'C4 SETTLED', 'C5 SETTLED', 'C6 SETTLED']);
    expect(await readOrder(owner, 0, id)).toMatchObject({ messages: 5, result: 'DONE' });
    expect(await heldOffsets()).toEqual([]);
    expect(await isFlagged()).toBe(false);
    expect(await send(claim('C8', 'P2'))).toEqual(['C8 SETTLED']);
    expect(lease.nextOffset).toBe(8n);
  });

  test('of a later message begins with the first of its key', async () => {
    await cure();
    const id = await order('RELEASE', 3n);
    expect(await idle()).toEqual(['C1 SETTLED', 'C2 SETTLED', 'C4 SETTLED']);
    expect(await readOrder(owner, 0, id)).toMatchObject({ messages: 3, result: 'DONE' });
    expect(await heldOffsets()).toEqual([]);
  });

  test('ends at a message that still fails: those before it are applied, it and those behind it stay held', async () => {
    await cure();
    await poison('C5');
    await send(claim('C5', 'P2'), claim('C6', 'P2'));
    const id = await order('RELEASE', 0n);
    expect(await idle()).toEqual(['C1 SETTLED', 'C2 SETTLED', 'C4 SETTLED']);
    expect(await readOrder(owner, 0, id)).toMatchObject({ messages: 3, result: 'FAILED' });
    expect(await heldOffsets()).toEqual([4, 5]);
    expect(await findQuarantines(owner)).toMatchObject([{ offset: 4n, failedOffset: 4n, messages: 2, ordered: null }]);
    expect(steps.at(-1)).toMatchObject({ action: 'RELEASE', result: 'FAILED', offset: 4n });
    await cure();
    await order('RELEASE', 4n);
    expect(await idle()).toEqual(['C5 SETTLED', 'C6 SETTLED']);
  });

  test.each(['database', 'commit'] as const)(
    'that dies before its %s leaves everything to the next owner',
    async (when) => {
      await cure();
      await order('RELEASE', 0n);
      const dying = withQuarantine(
        {
          apply: worker.apply,
          applyHeld: async (tx, place, records) => {
            if (when === 'database') throw new Error('Connection terminated');
            await settleHeld(tx, place, records, deps);
            throw new Error('Connection terminated');
          },
        },
        quarantineDeps(),
      );
      await expect(dying.applyIdle?.(lease, ALL_APPLIED)).rejects.toThrow('Connection terminated');
      expect(await heldOffsets()).toEqual([0, 1, 3]);
      await begin();
      expect(await idle()).toEqual(['C1 SETTLED', 'C2 SETTLED', 'C4 SETTLED']);
    },
  );

  test('that committed without an answer is not done twice', async () => {
    await cure();
    await order('RELEASE', 0n);
    const before = lease;
    expect(await idle()).toHaveLength(3);
    lease = before;
    expect(await idle()).toEqual([]);
    expect(await owner.rows('select from event_id where event_id like $1', ['claim:%'])).toHaveLength(4);
  });

  test('cannot be carried out by an owner that has lost the shard', async () => {
    await cure();
    await order('RELEASE', 0n);
    const [zombie, stale] = [worker, lease];
    await begin();
    await expect(zombie.applyIdle?.(stale, ALL_APPLIED)).rejects.toMatchObject({ name: 'Fenced' });
    expect(await heldOffsets()).toEqual([0, 1, 3]);
  });

  test('of a message that is not held any more is over at once', async () => {
    await cure();
    await order('RELEASE', 0n);
    await idle();
    const id = await order('RELEASE', 0n);
    expect(await idle()).toEqual([]);
    expect(await readOrder(owner, 0, id)).toMatchObject({ messages: 0, result: 'GONE' });
  });
});

describe('a drop', () => {
  beforeEach(async () => {
    await poison('C1');
    await send(claim('C1', 'P2'), claim('C2', 'P2'), claim('C3', 'P2'));
  });

  test('sends one message to the dead letters and leaves the rest held, in order', async () => {
    await order('DROP', 0n, 'EVENT_UNREADABLE');
    expect(await idle()).toEqual(['dead EVENT_UNREADABLE']);
    expect(await heldOffsets()).toEqual([1, 2]);
    expect(await send(claim('C4', 'P2'))).toEqual([]);
    await order('RELEASE', 1n);
    expect(await idle()).toEqual(['C2 SETTLED', 'C3 SETTLED', 'C4 SETTLED']);
    // It took no id: sent again, it is judged afresh.
    await cure();
    expect(await send(claim('C1', 'P2'))).toEqual(['C1 SETTLED']);
  });

  test("with a claim's code tells the hospital that its claim was rejected", async () => {
    await order('DROP', 0n, 'CLAIM_MALFORMED');
    expect(await idle()).toEqual(['C1 REJECTED', 'dead CLAIM_MALFORMED']);
  });

  test('that meets a defect ends, with the message still held, and can be ordered again', async () => {
    await owner.rows('create trigger poison before insert on outcome for each row execute function spoil()');
    const id = await order('DROP', 0n, 'EVENT_UNREADABLE');
    expect(await idle()).toEqual([]);
    expect(await readOrder(owner, 0, id)).toMatchObject({ messages: 0, result: 'FAILED' });
    expect(steps.at(-1)).toMatchObject({ action: 'DROP', result: 'FAILED', offset: 0n });
    expect(await heldOffsets()).toEqual([0, 1, 2]);
    expect(await send(claim('C4', 'P1'))).toEqual([]);
    await owner.rows('drop trigger poison on outcome');
    await order('DROP', 0n, 'EVENT_UNREADABLE');
    expect(await idle()).toEqual(['dead EVENT_UNREADABLE']);
  });

  test.each([
    ['no UTF-8', Buffer.alloc(3 << 20, 0xff)],
    ['longer than any person number', Buffer.alloc(4 << 20, 'P')],
  ])('of a claim whose key is %s rejects it without that', async (_, key) => {
    const stray = { ...claim('C9', 'P3'), offset: lease.nextOffset, key };
    const held = await worker.quarantine?.(lease, stray, new Error('a defect'));
    if (held !== undefined) told(held);
    await order('DROP', stray.offset, 'CLAIM_MALFORMED');
    expect(await idle()).toEqual(['C9 REJECTED', 'dead CLAIM_MALFORMED']);
  });

  test('takes one in the middle, and the last one frees the key', async () => {
    await order('DROP', 1n, 'EVENT_UNREADABLE');
    expect(await idle()).toHaveLength(1);
    expect(await heldOffsets()).toEqual([0, 2]);
    await order('DROP', 0n, 'EVENT_UNREADABLE');
    await order('DROP', 2n, 'EVENT_UNREADABLE');
    expect(await idle()).toHaveLength(2);
    expect(await isFlagged()).toBe(false);
    expect(await send(claim('C4', 'P2'))).toEqual(['C4 SETTLED']);
  });
});

test.each(['DROP', 'RELEASE'] as const)(
  'a message that was held with a timestamp that is no moment can be seen, and ends as a dead letter: %s',
  async (action) => {
    await poison('C1');
    await send(claim('C1', 'P1'), claim('C2', 'P1'));
    await cure();
    await owner.rows('update quarantined_message set record_ms = 9000000000000000 where log_offset = 0');
    const held = await findHeld(owner, { ...SHARD, offset: 0n }, { limit: 9 });
    expect(held.map(({ timestampMs }) => timestampMs)).toEqual([-1, claim('C2', 'P1').timestampMs]);
    await order(action, 0n, action === 'DROP' ? 'EVENT_UNREADABLE' : null);
    const ended = { DROP: ['dead EVENT_UNREADABLE'], RELEASE: ['C1 REJECTED', 'dead CLAIM_MALFORMED', 'C2 SETTLED'] };
    expect(await idle()).toEqual(ended[action]);
  },
);

test('a refund that waits for its claim waits on while the claim is held, and is answered behind it', async () => {
  await begin(1);
  expect(await send(refund('R1', 'C1', 'P2'))).toEqual([]);
  await poison('C1');
  expect(await send(claim('C1', 'P2'), claim('C2', 'P1'))).toEqual(['C2 SETTLED']);
  await owner.rows(`update parked_refund set until = now() - interval '1 hour'`);
  expect(await idle()).toEqual([]);
  await cure();
  await order('RELEASE', 1n);
  expect(await idle()).toEqual(['C1 SETTLED', 'R1 REFUNDED']);
});

test('a refund whose claim is dropped is answered when its time is up', async () => {
  await begin(1);
  await send(refund('R1', 'C1', 'P2'));
  await poison('C1');
  await send(claim('C1', 'P2'));
  await owner.rows(`update parked_refund set until = now() - interval '1 hour'`);
  await order('DROP', 1n, 'EVENT_UNREADABLE');
  expect(await idle()).toEqual(['dead EVENT_UNREADABLE', 'R1 REFUSED']);
});

describe('a refund that the worker fails on when its time is up', () => {
  const lateRefund = async (...refundIds: readonly string[]) => {
    for (const id of refundIds) await send(refund(id, `C-${id}`, `P-${id}`));
    await owner.rows(`update parked_refund set until = now() - interval '1 hour'`);
  };
  /** The database refuses the answers of refunds whose id begins like this. */
  const sour = (start: string) =>
    owner.rows(`create or replace function poison() returns trigger language plpgsql as $$ begin
      if new.event_id like 'refund:${start}%' then raise 'poison'; end if; return new; end $$`);
  const sweeten = () => owner.rows('drop trigger poison on event_id');

  beforeEach(async () => {
    await begin(1);
    await owner.rows('drop trigger poison on event_id');
    await owner.rows('create trigger poison before update on event_id for each row execute function poison()');
  });

  test('holds its patient and nobody else, is kept, and is answered when released and mended', async () => {
    await sour('R1');
    await lateRefund('R0', 'R1', 'R2');
    expect(await idle()).toEqual(['R0 REFUSED', 'R2 REFUSED']);
    expect(workHeld).toEqual(['0 P0001']);
    expect(await findQuarantines(owner)).toMatchObject([
      { offset: -1n, messages: 0, failedOffset: -1n, failure: expect.stringMatching(/^error P0001/) },
    ]);
    expect(await send(claim('C5', 'P-R1'), claim('C6', 'P1'))).toEqual(['C6 SETTLED']);
    expect(await findQuarantines(owner, { key: 'P-R1' })).toMatchObject([{ offset: -1n, messages: 1 }]);
    // What still fails is held again by the next call, before the work of anybody else.
    const id = await order('RELEASE', -1n);
    expect(await idle()).toEqual(['C5 REFUSED']);
    expect(await readOrder(owner, 0, id)).toMatchObject({ messages: 1, result: 'DONE' });
    expect(await heldOffsets()).toEqual([-1]);
    await sweeten();
    await order('RELEASE', -1n);
    expect(await idle()).toEqual(['R1 REFUSED']);
    expect([await heldOffsets(), await isFlagged()]).toEqual([[], false]);
    expect(await owner.rows('select from parked_refund')).toEqual([]);
  });

  test('cannot be dropped: an outcome of it is owed', async () => {
    await sour('R1');
    await lateRefund('R1');
    await idle();
    const id = await order('DROP', -1n, 'EVENT_UNREADABLE');
    expect(await idle()).toEqual([]);
    expect(await readOrder(owner, 0, id)).toMatchObject({ messages: 0, result: 'FAILED' });
    expect(await heldOffsets()).toEqual([-1]);
  });

  test('stops the shard when it is one of too many, restarts included', async () => {
    await sour('R');
    const ids = Array.from({ length: 12 }, (_, n) => `R${n}`);
    await lateRefund(...ids);
    const untilItFails = async () => {
      while (await worker.applyIdle?.(lease, ALL_APPLIED));
    };
    await expect(untilItFails()).rejects.toThrow('the worker fails on too much work');
    await begin(1);
    await expect(untilItFails()).rejects.toThrow('the worker fails on too much work');
    expect(await heldOffsets()).toHaveLength(10);
    await sweeten();
    expect(await idle()).toEqual(['R10 REFUSED', 'R11 REFUSED']);
  });
});

test('a message without a key goes to the dead letters, and holds nobody', async () => {
  const record = { ...claim('C1', 'P1'), key: null };
  const applied = await worker.quarantine?.(lease, record, new TypeError('poison'));
  expect(applied && told(applied)).toEqual(['dead EVENT_UNREADABLE']);
  expect(await heldOffsets()).toEqual([]);
});

test.for([10, 9 << 20])(
  'failures on messages without a key of %d bytes, one after the other, stop the shard',
  async (bytes) => {
    const record = { ...claim('C1', 'P1'), key: null, value: Buffer.alloc(bytes) };
    const setAside = () => worker.quarantine?.(lease, { ...record, offset: lease.nextOffset }, new TypeError('poison'));
    for (let n = 0; n < 3; n++) told((await setAside()) as Applied);
    await expect(setAside()).rejects.toThrow('the worker fails on every message');
  },
);

test('failures one after the other, whoever restarts, stop the shard instead of holding everybody', async () => {
  await poison('C-P1', 'C-P2', 'C-P3', 'C-P4', 'C-P1b');
  for (const person of ['P1', 'P2', 'P3']) {
    await send(claim(`C-${person}`, person));
    await begin();
  }
  await expect(send(claim('C-P4', 'P4'))).rejects.toThrow('the worker fails on every message');
  expect(lease.nextOffset).toBe(3n);
  // A later message of one that is held already is no further failure.
  expect(await send(claim('C-P1b', 'P1'))).toEqual([]);
});

test('failures with successes between them are a few bad messages', async () => {
  await poison('C-P1', 'C-P2', 'C-P3', 'C-P4');
  for (const person of ['P1', 'P2', 'P3', 'P4']) {
    expect(await send(claim(`C-${person}`, person), claim(`D-${person}`, 'P5'))).toEqual([`D-${person} SETTLED`]);
  }
  expect(await findQuarantines(owner)).toHaveLength(4);
});

describe('how much is held', () => {
  /** Messages of these keys in turn that were held before, at the offsets below the shard's. */
  const holdMany = (count: number, keys: readonly string[], bytes = 1) =>
    owner.rows(
      `insert into quarantined_message (partition, topic, log_offset, key, value, headers, record_ms, failure)
       select 0, 'claims', n, convert_to(($2::text[])[1 + n % $3::int], 'UTF8'), convert_to(repeat('x', $4::int), 'UTF8'), '[]', 0, null
       from generate_series(0, $1::int - 1) n`,
      [count, keys, keys.length, bytes],
    );
  const startAt = async (offset: number) => {
    await owner.rows('update shard set next_offset = $1, quarantined = true', [offset]);
    await begin();
  };

  test('of people is 50 a shard: the next one stops it', async () => {
    await holdMany(
      50,
      Array.from({ length: 50 }, (_, n) => `K${n}`),
    );
    await startAt(60);
    await poison('C1');
    await expect(send(claim('C1', 'P1'))).rejects.toThrow('too many keys of this shard are quarantined');
    expect(await send(claim('C2', 'P2'))).toEqual(['C2 SETTLED']);
  });

  /** A worker that begins here, for which less is too much. */
  const beginWith = (max: { readonly messages?: number; readonly bytes?: number }) =>
    begin(60_000, new HeldRoom({ ...HELD_MAX, ...max }));

  test('is 100,000 messages and 256 MiB a shard', () => {
    expect(HELD_MAX).toEqual({ messages: 100_000, bytes: 256 * 1_048_576 });
  });

  test('in messages: one more stops it with a reason, and nothing is lost', async () => {
    await holdMany(10, ['P2']);
    await owner.rows('update shard set next_offset = 10, quarantined = true');
    await beginWith({ messages: 10 });
    const records = [claim('C1', 'P1'), claim('C2', 'P2')].map((record, n) => ({ ...record, offset: 10n + BigInt(n) }));
    await expect(worker.apply(lease, records)).rejects.toMatchObject({ reason: 'quarantine-full' });
    await expect(worker.quarantine?.(lease, claim('C2', 'P2'), new Error('poison'))).rejects.toMatchObject({
      reason: 'quarantine-full',
    });
    expect(await owner.rows('select next_offset from shard')).toEqual([{ next_offset: '10' }]);
  });

  test('in bytes', async () => {
    await holdMany(3, ['P2'], 1_000);
    await owner.rows('update shard set next_offset = 10, quarantined = true');
    await beginWith({ bytes: 2_999 });
    await expect(send(claim('C2', 'P2'))).rejects.toMatchObject({ reason: 'quarantine-full' });
    expect(await send(claim('C1', 'P1'))).toEqual(['C1 SETTLED']);
  });

  test.each(['DROP', 'RELEASE'] as const)(
    'is counted anew by the worker that begins after a halt, and %s makes room again',
    async (action) => {
      await beginWith({ messages: 2 });
      await poison('C1');
      expect(await send(claim('C1', 'P2'), claim('C2', 'P2'))).toEqual([]);
      await expect(send(claim('C3', 'P2'))).rejects.toMatchObject({ reason: 'quarantine-full' });
      // Begun again it is as full, and settles what others send.
      await beginWith({ messages: 2 });
      await expect(send(claim('C3', 'P2'))).rejects.toMatchObject({ reason: 'quarantine-full' });
      expect(await send(claim('D1', 'P1'))).toEqual(['D1 SETTLED']);
      await cure();
      await beginWith({ messages: 2 });
      await order(action, 0n, action === 'DROP' ? 'EVENT_MALFORMED' : null);
      const done = { DROP: ['dead EVENT_MALFORMED'], RELEASE: ['C1 SETTLED', 'C2 SETTLED'] };
      expect(await idle()).toEqual(done[action]);
      const next = { DROP: [], RELEASE: ['C3 SETTLED'] };
      expect(await send(claim('C3', 'P2'))).toEqual(next[action]);
      expect(await heldOffsets()).toHaveLength(action === 'DROP' ? 2 : 0);
    },
  );

  test('is known to the worker that holds it: what it let go is room, and what it added is none', async () => {
    await beginWith({ messages: 2 });
    await poison('C1');
    expect(await send(claim('C1', 'P2'), claim('C2', 'P2'))).toEqual([]);
    await order('DROP', 1n, 'EVENT_MALFORMED');
    expect(await idle()).toEqual(['dead EVENT_MALFORMED']);
    expect(await send(claim('C3', 'P2'))).toEqual([]);
    await expect(send(claim('C4', 'P2'))).rejects.toMatchObject({ reason: 'quarantine-full' });
  });

  test('is released at most 500 messages and 4 MiB at a time', async () => {
    await holdMany(501, ['P2']);
    await startAt(600);
    await order('RELEASE', 0n);
    const answers = await idle();
    expect(steps.map(({ messages, result }) => [messages, result])).toEqual([
      [500, 'ON_THE_WAY'],
      [1, 'DONE'],
    ]);
    expect(answers).toHaveLength(501);
    await holdMany(6, ['P3'], 1_048_576);
    await startAt(600);
    await order('RELEASE', 0n);
    await idle();
    expect(steps.map(({ messages }) => messages)).toEqual([5, 1]);
  });
});
