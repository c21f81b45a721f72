import type { RunningSystem } from '@repo/cli/system';
import { waitFor } from '@repo/embedded';
import { Sender } from '@repo/messaging';
import { Client } from 'pg';
import { Dice } from '../dice.ts';
import { type HostileRecord, hostileRecord } from '../events.ts';
import type { Finding, Range, Result } from '../result.ts';
import { complaints } from '../system.ts';

const ROUND = 2_000;
/** A round that takes longer is a worker that does not go on. */
const ROUND_WITHIN_MS = 180_000;
/** The client cannot send these, and the broker's own limit is another test's matter. */
const VALUE_BYTES_MAX = 3 << 20;

/**
 * The way of a record through the workers: hostile records go to both input topics, and each must be taken, with an outcome, a dead letter
 * or nothing to say; a worker that fails on one, ends or stands still breaks the promise.
 */
export async function feedTopics(
  system: RunningSystem,
  prefix: string,
  { seed, from, inputs, onProgress = () => undefined }: Range,
): Promise<Result> {
  const startedAt = performance.now();
  const findings: Finding[] = [];
  const rounds = { slowestMs: 0, slowest: from };
  const connection = { brokers: system.kafka.split(','), clientId: 'gongji-fuzz' };
  await using sender = await Sender.open(connection);
  const database = new Client({ connectionString: system.postgresUrl });
  await database.connect();
  const sent = {
    claims: await appliedOf(database, `${prefix}.claims.v1`),
    members: await appliedOf(database, `${prefix}.members.v1`),
  };
  let next = from;
  try {
    while (next < from + inputs && findings.length === 0) {
      const end = Math.min(next + ROUND, from + inputs);
      const roundAt = performance.now();
      for (const stream of ['members', 'claims'] as const) {
        const records: HostileRecord[] = [];
        for (let input = next; input < end; input++) {
          const dice = new Dice(seed, 'topics', input);
          if (dice.pick(['claims', 'members']) !== stream) continue;
          const record = hostileRecord(dice, stream);
          if ((record.value?.length ?? 0) <= VALUE_BYTES_MAX) records.push(record);
        }
        await sender.sendAll(`${prefix}.${stream}.v1`, records);
        sent[stream] += records.length;
        const isTaken = async () => (await appliedOf(database, `${prefix}.${stream}.v1`)) >= sent[stream];
        if (!(await waitFor(isTaken, ROUND_WITHIN_MS, 100)))
          findings.push({
            target: 'topics',
            input: next,
            what: `${stream} of this round are not taken within ${ROUND_WITHIN_MS / 1000} s`,
          });
      }
      findings.push(...complaints(system).map((what) => ({ target: 'topics', input: next, what })));
      const ms = (performance.now() - roundAt) / (end - next);
      if (ms > rounds.slowestMs) Object.assign(rounds, { slowestMs: ms, slowest: next });
      next = end;
      onProgress(next - from);
    }
  } finally {
    await database.end();
  }
  return {
    target: 'topics',
    inputs: next - from,
    seconds: (performance.now() - startedAt) / 1000,
    ...rounds,
    findings,
  };
}

/** Records of a topic that are taken: all below the shards' next offsets. */
async function appliedOf(database: Client, topic: string): Promise<number> {
  const { rows } = await database.query<{ taken: number }>(
    'select coalesce(sum(next_offset), 0)::int as taken from shard where topic = $1',
    [topic],
  );
  return rows[0]?.taken ?? 0;
}
