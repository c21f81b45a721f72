import { Migrator } from '@mikro-orm/migrations';
import { defineConfig, type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { databaseConnection } from '@repo/transport';
import { CompiledQuery } from 'kysely';
import { Migration20261122Ledger } from '../migrations/migration-20261122-ledger.ts';
import { Migration20261123Backdated } from '../migrations/migration-20261123-backdated.ts';
import { Migration20261124Quarantine } from '../migrations/migration-20261124-quarantine.ts';
import { Migration20261127ReaderRights } from '../migrations/migration-20261127-reader-rights.ts';
import { Migration20261128PersonOutcomes } from '../migrations/migration-20261128-person-outcomes.ts';
import { Migration20261129Postings } from '../migrations/migration-20261129-postings.ts';
import { Migration20261130Partitions } from '../migrations/migration-20261130-partitions.ts';
import { Migration20261130QuarantineRights } from '../migrations/migration-20261130-quarantine-rights.ts';
import { Migration20261201Operators } from '../migrations/migration-20261201-operators.ts';
import { Migration20261202BindingChanges } from '../migrations/migration-20261202-binding-changes.ts';
import { Migration20261203ArchiveUsage } from '../migrations/migration-20261203-archive-usage.ts';
import { Migration20261204ChangeOrder } from '../migrations/migration-20261204-change-order.ts';
import { Migration20261205EventPlaces } from '../migrations/migration-20261205-event-places.ts';
import { Migration20261206LateAnswers } from '../migrations/migration-20261206-late-answers.ts';
import { Migration20261207OutcomeBlocks } from '../migrations/migration-20261207-outcome-blocks.ts';
import { Migration20261208OpenStretches } from '../migrations/migration-20261208-open-stretches.ts';
import { Migration20261209WaitingRefunds } from '../migrations/migration-20261209-waiting-refunds.ts';

export type Role = 'gongji_worker' | 'gongji_reader' | 'gongji_operator';

export interface DatabaseOptions {
  readonly url: string;
  /** The role to work as; the URL's user must be a member of it. Default: the URL's user. */
  readonly role?: Role;
  readonly name: string;
  readonly connectionsMax?: number;
  readonly lockTimeoutMs?: number;
  readonly statementTimeoutMs?: number;
  readonly transactionTimeoutMs?: number;
  /**
   * How long to wait for an answer, ms. The server's own limits end any statement earlier, so this one only ends waiting on a network that
   * delivers nothing any more. Default: 5 s more than a transaction may take.
   */
  readonly answerTimeoutMs?: number;
}

const MIGRATIONS = [
  { name: 'migration-20261122-ledger', class: Migration20261122Ledger },
  { name: 'migration-20261123-backdated', class: Migration20261123Backdated },
  { name: 'migration-20261124-quarantine', class: Migration20261124Quarantine },
  { name: 'migration-20261127-reader-rights', class: Migration20261127ReaderRights },
  { name: 'migration-20261128-person-outcomes', class: Migration20261128PersonOutcomes },
  { name: 'migration-20261129-postings', class: Migration20261129Postings },
  { name: 'migration-20261130-partitions', class: Migration20261130Partitions },
  { name: 'migration-20261130-quarantine-rights', class: Migration20261130QuarantineRights },
  { name: 'migration-20261201-operators', class: Migration20261201Operators },
  { name: 'migration-20261202-binding-changes', class: Migration20261202BindingChanges },
  { name: 'migration-20261203-archive-usage', class: Migration20261203ArchiveUsage },
  { name: 'migration-20261204-change-order', class: Migration20261204ChangeOrder },
  { name: 'migration-20261205-event-places', class: Migration20261205EventPlaces },
  { name: 'migration-20261206-late-answers', class: Migration20261206LateAnswers },
  { name: 'migration-20261207-outcome-blocks', class: Migration20261207OutcomeBlocks },
  { name: 'migration-20261208-open-stretches', class: Migration20261208OpenStretches },
  { name: 'migration-20261209-waiting-refunds', class: Migration20261209WaitingRefunds },
];

/**
 * Every statement of a worker looks up a few hundred keys. While a table is small the planner would rather scan and hash it, which costs
 * more with every row; by index only, a claim costs the same at any size.
 */
const WORKER_PLANS = ['-c enable_seqscan=off', '-c enable_hashjoin=off', '-c enable_mergejoin=off'];

/** Does not connect yet: the pool opens connections when they are needed. */
export function openOrm(options: DatabaseOptions): Promise<MikroORM> {
  const { connectionString, ssl } = databaseConnection(options.url);
  const { lockTimeoutMs = 2_000, statementTimeoutMs = 10_000, transactionTimeoutMs = 15_000 } = options;
  const { answerTimeoutMs = transactionTimeoutMs + 5_000 } = options;
  const settings = [
    `-c lock_timeout=${lockTimeoutMs}`,
    `-c statement_timeout=${statementTimeoutMs}`,
    `-c transaction_timeout=${transactionTimeoutMs}`,
    '-c search_path=public',
    // JIT compilation costs many small statements more than it saves them.
    '-c jit=off',
    ...(options.role === undefined ? [] : [`-c role=${options.role}`]),
    ...(options.role === 'gongji_worker' ? WORKER_PLANS : []),
  ];
  return MikroORM.init(
    defineConfig({
      clientUrl: connectionString,
      entities: [],
      discovery: { warnWhenNoEntities: false },
      // The library prints statements with row values in them; errors are logged by our own logger, by code.
      logger: () => undefined,
      pool: { min: 0, max: options.connectionsMax ?? 10 },
      driverOptions: {
        options: settings.join(' '),
        application_name: options.name,
        // Sends statements without waiting for the answers to earlier ones (see session.ts).
        pipeline: true,
        connectionTimeoutMillis: 5_000,
        // Where a network has swallowed the answer, the kernel would wait for hours.
        query_timeout: answerTimeoutMs,
        keepAlive: true,
        // Set on the pool because the library would copy the options, and freeze in them what the certificate files hold now.
        onPoolCreated: (pool: { options: object }) => {
          if (ssl !== undefined) Object.assign(pool.options, { ssl });
        },
      },
      extensions: [Migrator],
      migrations: { migrationsList: MIGRATIONS, tableName: 'migration', snapshot: false, silent: true },
    }),
  );
}

/** The database's schema was made by a version that this one does not know. */
export class OtherSchema extends Error {
  override readonly name = 'OtherSchema';
}

/** Runs the migrations that a database lacks, all or up to the one named `to`. See `migrate`. */
export async function runMigrations(url: string, { to }: { readonly to?: string } = {}): Promise<void> {
  const orm = await openOrm({
    url,
    name: 'gongji-migrate',
    statementTimeoutMs: 600_000,
    transactionTimeoutMs: 600_000,
  });
  try {
    const known = new Set(MIGRATIONS.map(({ name }) => name));
    const other = (await orm.migrator.getExecuted()).find(({ name }) => !known.has(name));
    if (other !== undefined) throw new OtherSchema(`another version of Gongji set this database up (${other.name})`);
    await orm.migrator.up(to === undefined ? {} : { to });
  } finally {
    await orm.close(true);
  }
}

/** Names of the migrations that a database lacks; empty = ready for this version. */
export async function missingMigrations(em: EntityManager): Promise<string[]> {
  const present = await query<{ name: string }>(em, `select name from migration`, []);
  const names = new Set(present.map(({ name }) => name));
  return MIGRATIONS.map(({ name }) => name).filter((name) => !names.has(name));
}

/** A key that changes with the schema, for tests that keep migrated template databases. */
export const schemaKey = (): string => MIGRATIONS.map(({ name }) => name).join();

/**
 * Runs SQL with bound parameters, outside any transaction. `em.execute` would write the parameters into the text, so that plans are not
 * reused and arrays break.
 */
export async function query<Row>(em: EntityManager, sql: string, parameters: readonly unknown[]): Promise<Row[]> {
  const { rows } = await em.getKysely<unknown>().executeQuery<Row>(CompiledQuery.raw(sql, [...parameters]));
  return rows;
}
