import { parseArgs } from 'node:util';
import { inSession } from '@repo/embedded';
import { readCounters } from './cost.ts';
import { type Bench, withFullTopic } from './measure.ts';
import { openServers } from './servers.ts';
import { makeFamilies } from './workload.ts';

const HELP = `npm run storage -w @repo/bench -- [--claims N] [--only plain|product] [--json]

What a settlement leaves on disk, by table, for the plain pipeline and the product: bytes of the heap, of its TOAST table and of
its indexes, WAL bytes, and row versions. 60000 claims unless told otherwise. With --json the last line is one JSON object.
`;

const PARTITIONS = 6;

/** What a table has, or has had more of, its partitions together. */
interface TableSize {
  readonly heap: number;
  readonly toast: number;
  readonly indexes: number;
  /** Rows inserted, and versions that updates made: in place, and elsewhere, which every index then points to. */
  readonly inserted: number;
  readonly updatedInPlace: number;
  readonly updatedElsewhere: number;
}

interface Storage {
  readonly walBytes: number;
  readonly tables: Readonly<Record<string, TableSize>>;
}

const SIZES = `
  select coalesce(pg_partition_root(relid), relid)::regclass::text as name, sum(pg_relation_size(relid)) as heap,
    sum(coalesce(pg_total_relation_size(nullif(reltoastrelid, 0)), 0)) as toast, sum(pg_indexes_size(relid)) as indexes,
    sum(n_tup_ins) as inserted, sum(n_tup_hot_upd) as in_place, sum(n_tup_upd - n_tup_hot_upd) as elsewhere
  from pg_stat_user_tables join pg_class on pg_class.oid = relid group by 1`;

/** The sessions of the pipeline must have ended, as they hand in their numbers when they go. */
async function readSizes(url: string): Promise<Map<string, TableSize>> {
  return inSession(url, async (client) => {
    const { rows } = await client.query<Record<string, string> & { name: string }>(SIZES);
    return new Map(
      rows.map(({ name, heap, toast, indexes, inserted, in_place, elsewhere }) => [
        name,
        {
          heap: Number(heap),
          toast: Number(toast),
          indexes: Number(indexes),
          inserted: Number(inserted),
          updatedInPlace: Number(in_place),
          updatedElsewhere: Number(elsewhere),
        },
      ]),
    );
  });
}

/** What each table has grown by, for each of `count` settlements; tables that have not grown are left out. */
export function growth(
  before: ReadonlyMap<string, TableSize>,
  after: ReadonlyMap<string, TableSize>,
  count: number,
): Record<string, TableSize> {
  const grown = [...after].map(([name, now]): [string, TableSize] => {
    const then = before.get(name);
    const of = (part: keyof TableSize) => (now[part] - (then?.[part] ?? 0)) / count;
    return [
      name,
      {
        heap: of('heap'),
        toast: of('toast'),
        indexes: of('indexes'),
        inserted: of('inserted'),
        updatedInPlace: of('updatedInPlace'),
        updatedElsewhere: of('updatedElsewhere'),
      },
    ];
  });
  return Object.fromEntries(grown.filter(([, size]) => Object.values(size).some((value) => value > 0)));
}

/** Settles claims from a full topic and looks at what that left. Nothing is vacuumed in between but by the server itself. */
function measureStorage(bench: Bench, name: 'plain' | 'product', count: number): Promise<Storage> {
  return withFullTopic(bench, name, count, async ({ run: { databaseUrl }, start, answered }) => {
    const [before, walBefore] = [await readSizes(databaseUrl), await readCounters(databaseUrl, undefined)];
    await using pipeline = start();
    await answered(count, [pipeline]);
    await pipeline.stop();
    const [after, walAfter] = [await readSizes(databaseUrl), await readCounters(databaseUrl, undefined)];
    return { walBytes: (walAfter.walBytes - walBefore.walBytes) / count, tables: growth(before, after, count) };
  });
}

const COLUMNS = ['heap', 'toast', 'indexes', 'inserted', 'updatedInPlace', 'updatedElsewhere'] as const;

function describe(name: string, { walBytes, tables }: Storage): string[] {
  const line = (title: string, of: (column: (typeof COLUMNS)[number]) => number) =>
    `${title.padEnd(16)}${COLUMNS.map((column, n) =>
      of(column)
        .toFixed(n < 3 ? 0 : 3)
        .padStart(10),
    ).join('')}`;
  const all = Object.values(tables);
  return [
    `${name}, a settlement: bytes of heap, TOAST and indexes; rows inserted, updated in place and elsewhere`,
    ...Object.entries(tables).map(([table, size]) => line(table, (column) => size[column])),
    line('all', (column) => all.reduce((sum, size) => sum + size[column], 0)),
    `WAL             ${walBytes.toFixed(0).padStart(10)}`,
  ];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      claims: { type: 'string', default: '60000' },
      only: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(HELP);
  const count = Number(values.claims);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error('--claims must be a whole number from 1');
  const progress = (line: string): void => void (process.stderr.isTTY && process.stderr.write(`\r\x1b[K${line}`));
  await using servers = await openServers(progress);
  const families = makeFamilies(1);
  const bench = { servers, town: 'usual', families, patients: families, partitions: PARTITIONS, seed: 1, progress };
  const results: Record<string, Storage> = {};
  for (const name of ['plain', 'product'] as const) {
    if (values.only !== undefined && values.only !== name) continue;
    const storage = await measureStorage(bench, name, count);
    results[name] = storage;
    console.log(`${describe(name, storage).join('\n')}\n`);
  }
  if (values.json) console.log(JSON.stringify({ claims: count, ...results }));
}

if (import.meta.main) await main();
