import { applyMemberEvent, assert, type CalendarDate, type MemberEvent, type PolicyLookup } from '@repo/domain';
import type { Ledger } from './ledger.ts';
import { MemberWorld } from './member-world.ts';
import { MONTH } from './transaction.ts';
import { type BatchWrites, writeSets } from './write.ts';

/** A member event with the identity and content hash that it would have as a message, so that sending it later changes nothing. */
export interface LoadableEvent {
  readonly event: MemberEvent;
  readonly identity: string;
  readonly contentHash: Buffer;
}

/** The shard id of events that entered by a bulk load instead of through a shard. */
const LOADER_SHARD = 0;
const BATCH = 4_000;

/**
 * Loads members in bulk without the topic, for a system that is being filled, with the rules and rows that their events would have, in
 * transactions of 4,000. Answers how many were loaded. Throws, and stops, at an event that cannot be applied; the transactions before stay.
 * A payer must come before its bindings.
 * @param partitionOf the members partition of a person, as the broker's partitioner would choose it
 * @param onProgress is called with the number of events loaded so far
 */
export async function loadMembers(
  ledger: Ledger,
  events: Iterable<LoadableEvent> | AsyncIterable<LoadableEvent>,
  options: {
    readonly policyOf: PolicyLookup;
    readonly partitionOf: (personNo: string) => number;
    readonly onProgress?: (count: number) => void;
  },
): Promise<number> {
  let count = 0;
  let batch: LoadableEvent[] = [];
  const flush = async () => {
    if (batch.length === 0) return;
    await loadBatch(ledger, batch, options);
    count += batch.length;
    batch = [];
    options.onProgress?.(count);
  };
  for await (const event of events) {
    batch.push(event);
    if (batch.length === BATCH) await flush();
  }
  await flush();
  return count;
}

function loadBatch(
  ledger: Ledger,
  batch: readonly LoadableEvent[],
  { policyOf, partitionOf }: { policyOf: PolicyLookup; partitionOf: (personNo: string) => number },
): Promise<void> {
  return ledger.transact(async (tx) => {
    // With no shard's row to hold, this lock keeps a day from being closed between reading what is closed and COMMIT. Other loads and
    // batches can go on.
    await tx.rows('lock table shard in row exclusive mode', []);
    const world = await MemberWorld.load(
      tx,
      batch.map(({ event }) => event),
      policyOf,
    );
    const opened = new Map<string, number>();
    const names: { personNo: string; name: string }[] = [];
    for (const { event } of batch) {
      const verdict = applyMemberEvent(event, world);
      assert(verdict.kind === 'DONE', `a loaded ${event.kind} applies`);
      if (event.kind !== 'ACCOUNT_OPENED') continue;
      const { personNo } = event.person;
      opened.set(personNo, partitionOf(personNo));
      if (event.name !== null) names.push({ personNo, name: event.name });
    }
    const ids = batch.map(({ identity, contentHash }) => ({ id: identity, contentHash, outcome: null, offset: null }));
    const writes: BatchWrites = {
      books: world.books,
      outcomes: [],
      ids,
      contributions: world.contributions.changed(),
      names,
      opened,
      facts: true,
    };
    const [books] = await tx.rows<{ closedThrough: CalendarDate | null; month: CalendarDate }>(
      `select max(closed_through)::text as "closedThrough", ${MONTH} as month from shard`,
      [],
    );
    assert(books !== undefined, 'an aggregate is always answered');
    writeSets(tx, [{ shard: { shardId: LOADER_SHARD, ...books }, placed: [], writes }], writes);
  });
}
