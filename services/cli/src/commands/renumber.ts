import { parseArgs } from 'node:util';
import { Ledger } from '@repo/ledger';
import type { Settings } from '../config.ts';
import { findLost, type LostShard } from '../lost-commits.ts';
import { runningServers } from '../system/addresses.ts';

const HELP = `Usage: gongji renumber [--apply] [--json]

For a database that was restored or failed over to a replica that lagged: Kafka has outcomes it knows nothing of, and their shards halt
(position-ahead-of-database). This lists such shards: how far each has published, and how far the database has written.

  --apply   lets their numbers go on behind what was published. The workers must be stopped. What was lost is then made again from the
            inputs when they start, and published a second time under new numbers and its old ce_id. Where retention has taken the last
            record of an output partition, its numbers go on behind the highest that it can have had, and may leave some out: the list says so.
  --json    one JSON object a line

First try to recover the lost commits themselves: then none of this is needed. Settings: GONGJI_DATABASE_URL (the owner's) and
GONGJI_KAFKA_BROKERS, or a running \`npm start\` of this folder. Exits with 0 when every shard agrees (now), 1 when some do not, 2 when the arguments or
settings are not understood.`;

/** Lists the shards whose published outcomes the database does not know, and renumbers them where asked to. Answers the exit code. */
export async function run(args: string[], settings: Settings): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { apply: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  const servers = runningServers(settings);
  if (servers === null) {
    console.error(
      'Nothing to look at: set GONGJI_DATABASE_URL and GONGJI_KAFKA_BROKERS, or start the system in this folder.',
    );
    return 2;
  }
  const ledger = await Ledger.open({ url: servers.databaseUrl, name: 'gongji-renumber' });
  try {
    const lost = await findLost(ledger, servers);
    for (const shard of lost)
      console.log(
        values.json === true
          ? JSON.stringify(shard, (_, value) => (typeof value === 'bigint' ? String(value) : value))
          : describe(shard),
      );
    if (values.apply !== true) {
      if (values.json !== true)
        console.log(lost.length === 0 ? 'No shard has lost commits.' : 'Nothing was changed: --apply does.');
      return lost.length === 0 ? 0 : 1;
    }
    for (const shard of lost) await ledger.renumberShard(shard);
    if (values.json !== true) console.log(`${lost.length} shards go on behind what was published.`);
    return 0;
  } finally {
    await ledger.close();
  }
}

const NAMES = { results: 'results', deadLetters: 'dead letters' } as const;

function describe({ topic, partition, written, outSeq, resultSeq, deadSeq, guessed }: LostShard): string {
  const lost = `${topic}/${partition}  written ${written}, published ${outSeq}: ${outSeq - written} outcomes lost`;
  const next = { results: resultSeq + 1n, deadLetters: deadSeq + 1n };
  const gaps = guessed.map((which) => `; ${NAMES[which]} go on at ${next[which]}, which may leave numbers out`);
  return `${lost}${gaps.join('')}`;
}
