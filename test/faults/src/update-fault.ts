import { readFileSync } from 'node:fs';
import { type Fault, steady, until } from './fault.ts';
import type { Stage } from './stage.ts';

const NEXT = 'migration-20991231-next';
/**
 * What a next version may do while workers of this one run: columns that may be null or have a default, tables, indexes. Under names that
 * no statement of this version has for something of its own, which a new column would make ambiguous.
 */
const NEXT_SCHEMA = [
  'alter table account add column later_note text',
  `alter table binding add column later_kind text not null default 'A'`,
  'alter table entry add column later_note text',
  'alter table shard add column later_count bigint not null default 0',
  'create table later_thing (id bigint primary key)',
  'create index later_index on binding (later_kind, binding_id)',
];

/**
 * A rolling update, as far as one version can try it: the next one's migration comes while workers of this one settle, who go on
 * through it and may be started again after it; and a worker that finds the schema of the version before refuses by name, while those that
 * run go on.
 */
export const rollingUpdate: Fault = {
  name: 'rolling update of the schema',
  run: async (stage) => {
    await steady(stage);
    const pids = pidsOf(stage);
    await stage.withDatabase(async (client) => {
      for (const statement of NEXT_SCHEMA) {
        // As a careful migration does: it gives way, and comes again, rather than have every batch wait behind it.
        const apply = async (): Promise<boolean> => {
          try {
            await client.query(`set lock_timeout = '500ms'; ${statement}`);
            return true;
          } catch (error) {
            if ((error as { code?: unknown }).code === '55P03') return false;
            throw error;
          }
        };
        await until(apply, `a migration beside the load found no moment for: ${statement}`);
      }
      await client.query('insert into migration (name, executed_at) values ($1, now())', [NEXT]);
      await flowsOn(stage, 'the load does not flow through the next migration');
      if (pidsOf(stage).join() !== pids.join()) throw new Error('a worker ended over the next migration');
      await stage.service('settlement-worker').process.kill('SIGTERM');
      await stage.service('settlement-worker').process.start();
      await until(() => stage.isReady('settlement-worker'), 'a worker does not start on the next schema');
      await refusesTheLast(stage, client.query.bind(client));
    });
  },
};

/** Only the record of the last migration is taken away: what runs needs the schema itself. */
async function refusesTheLast(
  stage: Stage,
  query: (sql: string, values?: unknown[]) => Promise<unknown>,
): Promise<void> {
  const { process, logFile } = stage.service('settlement-worker');
  await process.kill('SIGTERM');
  const last = `(select max(name) from migration where name <> '${NEXT}')`;
  await query(`update migration set name = 'away ' || name where name = ${last}`);
  try {
    const { exited } = await process.start();
    const { code } = await exited;
    if (code !== 1) throw new Error(`a worker on the schema of the version before ended with ${code}`);
    if (!readFileSync(logFile, 'utf8').includes('the database lacks migrations'))
      throw new Error('a worker on the schema of the version before does not say why it ends');
    await flowsOn(stage, 'the workers that run do not go on beside one that refuses');
  } finally {
    await process.kill('SIGTERM');
    await query(`update migration set name = substr(name, 6) where name like 'away %'`);
    await process.start();
  }
}

const pidsOf = (stage: Stage): number[] => stage.system.services.map(({ pid }) => pid);

async function flowsOn(stage: Stage, orElse: string): Promise<void> {
  const since = performance.now();
  await until(async () => stage.load.hasFlowedSince(since), orElse);
}
