import { applyMemberEvent, assert, type CalendarDate, type MemberEvent, type PolicyLookup } from '@repo/domain';
import type { Ledger } from './ledger.ts';
import { MemberWorld } from './member-world.ts';
import { MONTH } from './transaction.ts';
import { type BatchWrites, writeSets } from './write.ts';

/** A member event with the identity and content it would have as a message, so that sending it again changes nothing. */
export interface LoadableEvent {
  readonly event: MemberEvent;
  readonly identity: string;
  readonly contentHash: Buffer;
}

/** Marks events that entered by a bulk load and not through a shard. */
const LOADER_SHARD = 0;
const BATCH = 4_000;

/**
 * Enters members in bulk beside the topic, for a system that is being filled: the same rules and rows as their events would make,
 * in transactions of 4,000. An event that cannot be applied stops the load with its identity's kind. A payer comes before its bindings.
 * @param partitionOf the members partition of a person, as the broker's partitioner would choose it
 * @param onProgress is told how many events are in
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
    // There is no shard's row to hold, so that no day closes between the look at what is closed and COMMIT; other loads and batches may go on.
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
