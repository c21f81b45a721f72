import { setTimeout as delay } from 'node:timers/promises';
import { isTransient, type Ledger } from '@repo/ledger';
import { countPartitions, type KafkaConnection } from '@repo/messaging';
import { ConfigurationError, type Logger } from '@repo/observability';
import { explainRefusal } from '@repo/transport';

const ASKED_EVERY_MS = 1_000;

/** What a worker looks at before it takes any shard. */
interface Requirement {
  readonly ledger: Ledger;
  readonly log: Logger;
  /** Ends the wait for a database that is away. */
  readonly signal: AbortSignal;
}

/**
 * On an older schema a worker would call every message that needs what is missing there a defect, and set it aside. So it asks before it
 * takes a shard, and ends with the names.
 */
export async function requireSchema({ ledger, log, signal }: Requirement): Promise<void> {
  const missing = await ask(() => ledger.missingMigrations(), signal);
  if (missing.length === 0) return;
  log.error(
    { migration: missing },
    'the database lacks migrations: run "gongji setup" of this version, then start again',
  );
  throw new ConfigurationError(missing.map((name) => `the database lacks ${name}`));
}

/**
 * With another count than its topic has a worker would write dead letters where another shard does, and send checks to some of the shards
 * alone. So it looks before it joins the group, and ends. Shards that were taken before tell the count: a topic that has grown since is
 * theirs to halt at.
 */
export async function requirePartitions({
  topic,
  expected,
  connection,
  ledger,
  log,
  signal,
}: Requirement & {
  readonly topic: string;
  readonly expected: number;
  readonly connection: KafkaConnection;
}): Promise<void> {
  const taken = await ask(() => ledger.countPartitions(topic), signal);
  const found = taken ?? (await countPartitions(connection, topic));
  const problem =
    found === undefined
      ? `there is no topic ${topic}: run "gongji setup", then start again`
      : partitionsProblem({ topic, expected, taken, found });
  if (problem === undefined) return;
  log.error({ topic, expected, ...(found !== undefined && { found }) }, problem);
  throw new ConfigurationError([problem]);
}

/** Why the count of partitions that is set cannot be used, if so: the shards that were taken tell a topic's, before there is one the broker. */
export function partitionsProblem({
  topic,
  expected,
  taken,
  found,
}: {
  readonly topic: string;
  readonly expected: number;
  readonly taken: number | undefined;
  readonly found: number | undefined;
}): string | undefined {
  if (found === undefined || found === expected) return undefined;
  const has = taken === undefined ? `${topic} has` : `this database knows ${topic} with`;
  return `GONGJI_PARTITIONS is ${expected}, but ${has} ${found} partitions: set GONGJI_PARTITIONS=${found}`;
}

/** While the database is away it is asked again, as it is later on. */
async function ask<T>(question: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await question();
    } catch (error) {
      // One that does not let us in will not in a minute either.
      if (explainRefusal(error) !== undefined || !isTransient(error)) throw error;
      await delay(ASKED_EVERY_MS, undefined, { signal });
    }
  }
}
