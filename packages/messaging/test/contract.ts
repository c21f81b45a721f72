import { afterEach, describe, expect, it } from 'vitest';
import type { Failpoint } from '../src/options.ts';
import type {
  InputLog,
  InputRecord,
  LogSession,
  OutboxRow,
  Publisher,
  ShardHandler,
  WaitingRecord,
} from '../src/port.ts';

/** What a client's adapters need to be tested: one broker, and processes that use it. */
export interface Rig {
  /** A publisher of a process of its own, with the app and input topic of the others. */
  publisher(failpoint?: (name: Failpoint) => void): Publisher;
  /** A member of a process of its own, of the same group as the others. */
  log(): InputLog;
  append(partition: number, values: readonly string[]): Promise<void>;
  /** All that a read_committed reader sees of an output partition. */
  committed(partition: number): Promise<string[]>;
  readonly outputTopic: string;
  /** Another topic that a shard writes besides its results. */
  readonly sideTopic: string;
  /** Lets the rig's time pass until the promise settles. */
  settled<T>(promise: Promise<T>): Promise<T>;
  until(condition: () => boolean, what: string): Promise<void>;
  close(): Promise<void>;
}

export const PARTITIONS = 2;
const P = 1;

/** A handler that records what it is told. */
class Recorder implements ShardHandler {
  readonly acquired: number[] = [];
  readonly released: number[] = [];
  readonly values: string[] = [];
  readonly records: InputRecord[] = [];
  readonly sessions = new Map<number, LogSession>();
  from: bigint | null = 0n;
  full: Promise<void> | null = null;

  async acquire(partition: number, session: LogSession): Promise<bigint | null> {
    this.acquired.push(partition);
    this.sessions.set(partition, session);
    await session.bounds();
    return this.from;
  }

  apply(partition: number, batch: readonly WaitingRecord[]): Promise<void> | null {
    const records = batch.map((record) => record.read());
    this.records.push(...records);
    this.values.push(...records.map(({ value }) => `${partition}:${value}`));
    return this.full;
  }

  async release(partition: number): Promise<void> {
    this.released.push(partition);
  }

  has(partition: number): boolean {
    const count = (list: number[]): number => list.filter((entry) => entry === partition).length;
    return count(this.acquired) > count(this.released);
  }
}

/** The promises of `Publisher` and `InputLog`, for every adapter alike. */
export function describeAdapters(name: string, makeRig: () => Promise<Rig>): void {
  let rig: Rig;
  const fresh = async (): Promise<Rig> => {
    rig = await makeRig();
    return rig;
  };
  const rows = (from: number, to: number): OutboxRow[] =>
    Array.from({ length: to - from + 1 }, (_, index) => ({
      seq: BigInt(from + index),
      topic: rig.outputTopic,
      partition: P,
      key: Buffer.from('key'),
      value: Buffer.from(`row ${from + index}`),
      headers: [['ce_id', Buffer.from(String(from + index))]],
    }));
  const texts = (from: number, to: number): string[] => rows(from, to).map(({ value }) => `${value}`);
  afterEach(() => rig.close());

  describe(`${name} publisher`, () => {
    it('knows no position of a shard that never published', async () => {
      const { settled, publisher } = await fresh();
      expect(await settled(publisher().recover(P))).toBe(0n);
    });

    it('publishes rows in order and tells the next owner how far', async () => {
      const { settled, publisher, committed } = await fresh();
      const first = publisher();
      await settled(first.recover(P));
      expect(await settled(first.publish(P, rows(1, 3)))).toBe(3n);
      expect(await settled(first.publish(P, rows(4, 4)))).toBe(4n);
      expect(await settled(publisher().recover(P))).toBe(4n);
      expect(await committed(P)).toEqual(texts(1, 4));
    });

    it('lets nothing of a fenced publisher be seen', async () => {
      const { settled, publisher, committed } = await fresh();
      const [zombie, owner] = [publisher(), publisher()];
      await settled(zombie.recover(P));
      await settled(owner.recover(P));
      await expect(settled(zombie.publish(P, rows(1, 2)))).rejects.toThrow();
      await settled(owner.publish(P, rows(1, 3)));
      expect(await committed(P)).toEqual(texts(1, 3));
    });

    it('survives a zombie that initialises after the new owner', async () => {
      const { settled, publisher, committed } = await fresh();
      const [zombie, owner] = [publisher(), publisher()];
      await settled(owner.recover(P));
      await settled(owner.publish(P, rows(1, 2)));
      expect(await settled(zombie.recover(P))).toBe(2n);
      await expect(settled(owner.publish(P, rows(3, 4)))).rejects.toThrow();
      expect(await settled(owner.recover(P))).toBe(2n);
      await settled(owner.publish(P, rows(3, 4)));
      expect(await committed(P)).toEqual(texts(1, 4));
    });

    it.each(['after-send', 'before-endtxn'] as const)('leaves nothing behind when it dies %s', async (point) => {
      const { settled, publisher, committed } = await fresh();
      let isArmed = true;
      const dying = publisher((name) => {
        if (isArmed && name === point) throw new Error('died');
      });
      await settled(dying.recover(P));
      await expect(settled(dying.publish(P, rows(1, 2)))).rejects.toThrow('died');
      isArmed = false;
      const next = publisher();
      expect(await settled(next.recover(P))).toBe(0n);
      await settled(next.publish(P, rows(1, 3)));
      expect(await committed(P)).toEqual(texts(1, 3));
    });

    it('has published when it dies after-endtxn', async () => {
      const { settled, publisher, committed } = await fresh();
      const dying = publisher((name) => {
        if (name === 'after-endtxn') throw new Error('died');
      });
      await settled(dying.recover(P));
      await expect(settled(dying.publish(P, rows(1, 2)))).rejects.toThrow('died');
      expect(await settled(publisher().recover(P))).toBe(2n);
      expect(await committed(P)).toEqual(texts(1, 2));
    });

    it('refuses to publish after a failure until it is recovered', async () => {
      const { settled, publisher, committed } = await fresh();
      let isArmed = true;
      const failing = publisher((name) => {
        if (isArmed && name === 'after-send') throw new Error('failed');
      });
      await settled(failing.recover(P));
      await expect(settled(failing.publish(P, rows(1, 1)))).rejects.toThrow('failed');
      isArmed = false;
      await expect(settled(failing.publish(P, rows(1, 1)))).rejects.toThrow();
      expect(await settled(failing.recover(P))).toBe(0n);
      await settled(failing.publish(P, rows(1, 1)));
      expect(await committed(P)).toEqual(texts(1, 1));
    });

    it('knows the position behind rows that are no results, and behind results after them', async () => {
      const { settled, publisher } = await fresh();
      const first = publisher();
      await settled(first.recover(P));
      const aside = (seq: number) => rows(seq, seq).map((row) => ({ ...row, topic: rig.sideTopic }));
      await settled(first.publish(P, [...rows(1, 2), ...aside(3)]));
      expect(await settled(publisher().recover(P))).toBe(3n);
      const second = publisher();
      expect(await settled(second.recover(P))).toBe(3n);
      await settled(second.publish(P, aside(4)));
      expect(await settled(second.recover(P))).toBe(4n);
      await settled(second.publish(P, rows(5, 6)));
      expect(await settled(publisher().recover(P))).toBe(6n);
    });

    it('finds the position behind any number of transactions that came to nothing', async () => {
      const { settled, publisher } = await fresh();
      let isArmed = false;
      const failing = publisher((name) => {
        if (isArmed && name === 'after-send') throw new Error('failed');
      });
      await settled(failing.recover(P));
      await settled(failing.publish(P, rows(1, 2)));
      for (let attempt = 0; attempt < 3; attempt++) {
        isArmed = true;
        await expect(settled(failing.publish(P, rows(3, 150)))).rejects.toThrow('failed');
        isArmed = false;
        expect(await settled(failing.recover(P))).toBe(2n);
      }
    });

    it('keeps the position when it is written again', async () => {
      const { settled, publisher } = await fresh();
      const first = publisher();
      await settled(first.recover(P));
      await settled(first.publish(P, rows(1, 2)));
      await settled(first.refresh(P, 2n));
      expect(await settled(publisher().recover(P))).toBe(2n);
    });
  });

  describe(`${name} log`, () => {
    it('reads from where the shard says, in order', async () => {
      const { settled, log, append, until } = await fresh();
      await append(P, ['a', 'b', 'c', 'd']);
      const handler = new Recorder();
      handler.from = 2n;
      const member = log();
      await settled(member.run(handler));
      await until(() => handler.values.length >= 2, 'the records from the third on');
      await append(P, ['e']);
      await until(() => handler.values.length >= 3, 'the record appended later');
      expect(handler.values).toEqual([`${P}:c`, `${P}:d`, `${P}:e`]);
      expect(handler.records.map(({ offset }) => offset)).toEqual([2n, 3n, 4n]);
      await settled(member.stop());
    });

    it('delivers nothing while the shard has enough', async () => {
      const { settled, log, append, until } = await fresh();
      let makeRoom = (): void => {};
      const handler = new Recorder();
      handler.full = new Promise((resolve) => {
        makeRoom = resolve;
      });
      const member = log();
      await settled(member.run(handler));
      await append(P, ['a']);
      await until(() => handler.values.length === 1, 'the first record');
      await append(P, ['b']);
      await append(0, ['other']);
      await until(() => handler.values.includes('0:other'), 'a record of the other partition');
      expect(handler.values).not.toContain(`${P}:b`);
      handler.full = null;
      makeRoom();
      await until(() => handler.values.includes(`${P}:b`), 'the record that waited');
      expect(handler.values.filter((value) => value.startsWith(`${P}:`))).toEqual([`${P}:a`, `${P}:b`]);
      await settled(member.stop());
    });

    it('acquires again when asked to, and reads from the new answer', async () => {
      const { settled, log, append, until } = await fresh();
      await append(P, ['a', 'b', 'c']);
      const handler = new Recorder();
      const member = log();
      await settled(member.run(handler));
      await until(() => handler.values.length >= 3, 'all records');
      handler.from = 1n;
      handler.sessions.get(P)?.reopen();
      await until(() => handler.values.length >= 5, 'the records from the second on again');
      expect(handler.values).toEqual(['a', 'b', 'c', 'b', 'c'].map((value) => `${P}:${value}`));
      await settled(member.stop());
    });

    it('reads nothing of a shard that stays closed', async () => {
      const { settled, log, append, until } = await fresh();
      await append(P, ['a']);
      const handler = new Recorder();
      handler.from = null;
      const member = log();
      await settled(member.run(handler));
      await until(() => handler.acquired.length === PARTITIONS, 'both partitions');
      await append(P, ['b']);
      await settled(member.stop());
      expect(handler.values).toEqual([]);
      expect(handler.released.toSorted()).toEqual([0, 1]);
    });

    it('hands a partition over to a second member and takes it back when that leaves', async () => {
      const { settled, log, until } = await fresh();
      const [first, second] = [new Recorder(), new Recorder()];
      const [one, two] = [log(), log()];
      await settled(one.run(first));
      await until(() => first.has(0) && first.has(1), 'the first member to have both');
      await settled(two.run(second));
      await until(() => first.has(0) !== first.has(1), 'the first member to let one go');
      await until(
        () => second.has(0) !== first.has(0) && second.has(1) !== first.has(1),
        'the second member to have it',
      );
      await settled(two.stop());
      await until(() => first.has(0) && first.has(1), 'the first member to have both again');
      await settled(one.stop());
      expect(first.has(0) || first.has(1) || second.has(0) || second.has(1)).toBe(false);
    });
  });
}
