import { setTimeout as delay } from 'node:timers/promises';
import { isTransient, type Ledger } from '@repo/ledger';
import { countPartitions, type KafkaConnection } from '@repo/messaging';
import { ConfigurationError, type Logger } from '@repo/observability';
import { loadPolicies, type Policies } from '@repo/policy';
import { explainRefusal } from '@repo/transport';

const ASKED_EVERY_MS = 1_000;

/** What the checks before a worker takes any shard need. */
interface Requirement {
  readonly ledger: Ledger;
  readonly log: Logger;
  /** Aborts waiting for a database that cannot be reached. */
  readonly signal: AbortSignal;
}

/**
 * Requires policies without a problem, those of the folder read over the shipped ones. Each problem is a line on standard error, in full:
 * it holds no personal data, and the log would mask a region's number and cut a long list. Throws a `ConfigurationError`.
 */
export async function requirePolicies(dir: string | undefined, log: Logger): Promise<Policies> {
  const loaded = await loadPolicies({ dir });
  if ('policies' in loaded) return loaded.policies;
  const { problems } = loaded;
  process.stderr.write(problems.map((problem) => `${problem}\n`).join(''));
  log.error({ count: problems.length }, 'the policy files cannot be used: standard error lists every problem');
  throw new ConfigurationError(problems);
}

/**
 * Requires the newest schema. On an older one the worker would take every message that needs the missing part for a defect and set it
 * aside. Throws a `ConfigurationError` with the names of the missing migrations.
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
 * Requires that GONGJI_PARTITIONS fits the topic, before the worker joins the group. Otherwise it would write dead letters to another
 * shard's partition, and send checks to some of the shards only. The count stored with the first shard decides, since a topic that has
 * grown since then is for its shards to halt at. Throws a `ConfigurationError`.
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

/**
 * Why the configured partition count cannot be used; undefined where it can. `found`: the count in the database, or, before any shard was
 * taken, at the broker; `taken`: the count in the database.
 */
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

/** Repeats a question while the database cannot be reached. */
async function ask<T>(question: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await question();
    } catch (error) {
      // A refused login would be refused again.
      if (explainRefusal(error) !== undefined || !isTransient(error)) throw error;
      await delay(ASKED_EVERY_MS, undefined, { signal });
    }
  }
}
