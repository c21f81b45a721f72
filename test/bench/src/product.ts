import { DECODE_LIMITS, decodeMembers } from '@repo/contracts';
import { createPartition, Ledger, type LoadableEvent, loadMembers, migrate, missingPartitions } from '@repo/ledger';
import { createTopics, partitionForKey } from '@repo/messaging';
import { loadPolicies } from '@repo/policy';
import { contentHash } from '@repo/shard-worker';
import { CLAIMS_MONTH, type Family, type MemberMessage, memberEvents } from './workload.ts';

/** The product's topics, as an operator creates them. */
export async function createProductTopics(options: {
  brokers: string;
  prefix: string;
  partitions: number;
}): Promise<void> {
  const { brokers, prefix, partitions } = options;
  await createTopics({ connection: { brokers: brokers.split(','), clientId: 'bench' }, prefix, partitions });
}

export const prepareProductDatabase = (
  url: string,
  { families, partitions }: { families: Iterable<Family>; partitions: number },
): Promise<void> => loadProduct(url, eventsOf(families), partitions);

/** What brings these families in, nobody twice: a person may belong to several. */
function* eventsOf(families: Iterable<Family>): Generator<MemberMessage> {
  const opened = new Set<string>();
  for (const family of families) {
    for (const message of memberEvents(family)) {
      if (message.type === 'account.opened' && opened.has(message.key)) continue;
      if (message.type === 'account.opened') opened.add(message.key);
      yield message;
    }
  }
}

/** Migrates an empty database and enters members in bulk, by the product's own rules. */
export async function loadProduct(url: string, messages: Iterable<MemberMessage>, partitions: number): Promise<void> {
  await migrate(url);
  const loaded = await loadPolicies();
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  const { policyAt } = loaded.policies;
  const ledger = await Ledger.open({ url, name: 'bench' });
  try {
    // As in operation: the month in which the claims are booked has its partition.
    for (const missing of await missingPartitions(ledger, { from: CLAIMS_MONTH, through: CLAIMS_MONTH }))
      await createPartition(ledger, missing);
    const partitionOf = (personNo: string) => partitionForKey(personNo, partitions);
    await loadMembers(ledger, loadableEvents(messages), { policyOf: policyAt, partitionOf });
  } finally {
    await ledger.close();
  }
}

/** Decodes the events as the sharing worker would, so that the bulk load enters exactly what the topic would have. */
function* loadableEvents(messages: Iterable<MemberMessage>): Generator<LoadableEvent> {
  for (const { type, key, event: fields } of messages) {
    const decoded = decodeMembers(
      {
        key: Buffer.from(key),
        value: Buffer.from(JSON.stringify(fields)),
        headers: [['ce_type', Buffer.from(type)]],
        timestampMs: Date.parse('2025-03-01T00:00:00Z'),
      },
      DECODE_LIMITS,
    );
    if (decoded.kind !== 'MEMBER')
      throw new Error(`a generated ${type} was not understood: ${JSON.stringify(decoded)}`);
    yield { event: decoded.event, identity: decoded.identity, contentHash: contentHash(decoded.content) };
  }
}
