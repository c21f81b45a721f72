import { migrate, schemaKey } from '@repo/ledger';
import { cloneDatabase, until } from '@repo/testkit';
import { Client } from 'pg';
import type { PublishedRecord } from '../compare.ts';
import type { RawRecord } from '../system/topics.ts';
import { type Point, Shard, type ShardName } from './shard.ts';

/** What one shard does in one transaction: a batch of records, or a step of what it does between batches. */
export type Move = { readonly shard: ShardName; readonly records: readonly RawRecord[] | 'IDLE' };

/** Everything that claims, facts and sharing leave behind, as text; equal states are equal in every row and every published field. */
export type SiteState = Readonly<Record<string, readonly string[]>>;

/** Tables that hold the state, without columns that tell of attempts and not of results. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  account: [],
  entry: [],
  binding: [],
  contribution: [],
  held_refund: [],
  claim_refund: [],
  shard_work: ['work_id'],
  backdated_draw: ['known_at'],
};

interface SiteOptions {
  readonly policyOf: Parameters<typeof Shard.open>[1]['policyOf'];
  readonly shards: readonly ShardName[];
}

/** Where a transaction is held: at a point of its own, or before it gets the lock of an account, which the watcher has. */
export type Place = Point | { readonly account: string };

/** A move under way. `reached` is false where it ended without coming to the place. */
interface Begun {
  readonly run: Promise<void>;
  readonly reached: boolean;
  letGo(): Promise<void>;
}

/** Several shards of both workers on one database, and a watcher who sees which of them waits for a lock. */
export class Site implements AsyncDisposable {
  readonly url: string;
  readonly shards: ReadonlyMap<ShardName, Shard>;
  readonly #watcher: Client;
  readonly #owned: AsyncDisposableStack;
  /** Brings every table back to what was kept. */
  #restoring: string | undefined;

  private constructor(
    url: string,
    shards: ReadonlyMap<ShardName, Shard>,
    watcher: Client,
    owned: AsyncDisposableStack,
  ) {
    this.url = url;
    this.shards = shards;
    this.#watcher = watcher;
    this.#owned = owned;
  }

  static async open({ policyOf, shards }: SiteOptions): Promise<Site> {
    await using started = new AsyncDisposableStack();
    const clone = await cloneDatabase({ key: schemaKey(), migrate });
    started.defer(() => clone.drop());
    const { url } = clone;
    const watcher = started.adopt(new Client({ connectionString: url }), (client) => client.end());
    await watcher.connect();
    const partitions = shards.filter((name) => name.startsWith('members')).length;
    const opened = await Promise.all(shards.map((name) => Shard.open(name, { url, policyOf, partitions })));
    for (const shard of opened) started.use(shard);
    return new Site(url, new Map(opened.map((shard) => [shard.name, shard])), watcher, started.move());
  }

  shard(name: ShardName): Shard {
    const shard = this.shards.get(name);
    if (shard === undefined) throw new Error(`no shard ${name} was opened`);
    return shard;
  }

  /** Keeps what is in the tables now, for `restore`. To be called once, while nothing runs. */
  async keep(): Promise<void> {
    const tables = await this.query<{ name: string; columns: string }>(
      `select relname as name, string_agg(quote_ident(attname), ', ' order by attnum) as columns
       from pg_class join pg_attribute on attrelid = pg_class.oid
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
         and attnum > 0 and not attisdropped and attgenerated = '' group by relname`,
    );
    await this.#watcher.query(
      ['create schema kept', ...tables.map(({ name }) => `create table kept.${name} as table public.${name}`)].join(
        ';',
      ),
    );
    // Without the order of foreign keys, which hold of what was kept.
    this.#restoring = [
      ...['begin', 'set local session_replication_role = replica', ...tables.map(({ name }) => `delete from ${name}`)],
      ...tables.map(
        ({ name, columns }) =>
          `insert into ${name} (${columns}) overriding system value select ${columns} from kept.${name}`,
      ),
      'commit',
    ].join(';');
  }

  /** As it was when it was kept, for a story of its own: that is quicker than a fresh database and fresh connections. While nothing runs. */
  async restore(): Promise<void> {
    if (this.#restoring === undefined) throw new Error('nothing was kept that could be restored');
    await this.#watcher.query(this.#restoring);
    for (const shard of this.shards.values()) await shard.reopen();
  }

  async run({ shard, records }: Move): Promise<void> {
    if (records === 'IDLE') await this.shard(shard).idle();
    else await this.shard(shard).take(records);
  }

  /** Lets the members shards do all that waits. */
  async settleDown(): Promise<void> {
    for (const shard of this.shards.values()) {
      if (shard.name.startsWith('members')) while (await shard.idle());
    }
  }

  /** Starts a move and holds its transaction at a place, if it comes there before it ends. */
  async begin(move: Move, place: Place): Promise<Begun> {
    return typeof place === 'string' ? this.#holdAt(move, place) : this.#holdBefore(move, place.account);
  }

  async #holdAt(move: Move, point: Point): Promise<Begun> {
    const gate = Promise.withResolvers<void>();
    const held = Promise.withResolvers<boolean>();
    const shard = this.shard(move.shard);
    shard.onPoint = (at) => {
      if (at !== point) return undefined;
      shard.onPoint = () => undefined;
      held.resolve(true);
      return gate.promise;
    };
    const run = this.run(move);
    run.then(
      () => held.resolve(false),
      () => held.resolve(false),
    );
    return { run, reached: await held.promise, letGo: async () => gate.resolve() };
  }

  async #holdBefore(move: Move, account: string): Promise<Begun> {
    await this.#watcher.query('begin');
    await this.#watcher.query('select from account where psn_no = $1 for update', [account]);
    const run = this.run(move);
    const reached = await this.waits(move.shard, run);
    return { run, reached, letGo: async () => void (await this.#watcher.query('rollback')) };
  }

  /** True once a shard's transaction waits for a lock, false once it has ended without. */
  async waits(name: ShardName, run: Promise<unknown>): Promise<boolean> {
    let ended = false;
    const end = () => {
      ended = true;
    };
    run.then(end, end);
    const met = await until(async () => (ended ? 'ended' : (await this.#isBlocked(name)) && 'waits'), {
      what: `${name} to end or to wait for a lock`,
      everyMs: 1,
    });
    return met === 'waits';
  }

  async #isBlocked(name: ShardName): Promise<boolean> {
    const { rows } = await this.#watcher.query<{ blocked: boolean }>(
      `select exists (select from pg_stat_activity where datname = current_database() and application_name = $1
         and cardinality(pg_blocking_pids(pid)) > 0) as blocked`,
      [name],
    );
    return rows[0]?.blocked === true;
  }

  async state(): Promise<SiteState> {
    const state: Record<string, string[]> = {};
    for (const [table, left] of Object.entries(TABLES)) {
      const { rows } = await this.#watcher.query<{ line: string }>(
        `select (to_jsonb(each) - $1::text[])::text as line from ${table} as each order by 1`,
        [left],
      );
      state[table] = rows.map(({ line }) => line);
    }
    for (const { name, published } of this.shards.values()) state[name] = published.map(tell);
    return state;
  }

  async query<Row extends object>(sql: string): Promise<Row[]> {
    return (await this.#watcher.query<Row>(sql)).rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

const tell = ({ topic, key, headers, value }: PublishedRecord): string =>
  `${topic} ${key} ${headers.ce_type ?? headers['gongji-code']} ${headers.ce_sequence ?? ''} ${value}`;
