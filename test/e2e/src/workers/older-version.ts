import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Role } from '@repo/ledger';
import { Client } from 'pg';

/** The roles whose days are recorded; operators' is not, who look at what is held and leave orders. */
export type RecordedRole = Exclude<Role, 'gongji_operator'>;

/** What an older version says to the database, as it was recorded: it may run beside a newer schema. */
export interface Recorded {
  /** The last migration of that version. */
  readonly through: string;
  readonly statements: Readonly<Record<RecordedRole, readonly string[]>>;
}

/** Hears what is asked of a database on its way there, whichever driver asks: the texts of the messages Query and Parse, by role. */
export class Listener implements AsyncDisposable {
  readonly heard: Readonly<Record<RecordedRole, Set<string>>> = { gongji_worker: new Set(), gongji_reader: new Set() };
  readonly #server = createServer((near) => this.#lead(near));
  readonly #target: URL;

  private constructor(target: URL) {
    this.#target = target;
  }

  static async open(databaseUrl: string): Promise<Listener> {
    const listener = new Listener(new URL(databaseUrl));
    await new Promise<void>((resolve) => void listener.#server.listen(0, '127.0.0.1', resolve));
    return listener;
  }

  /** The database's URL, by way of here. */
  get url(): string {
    const url = new URL(this.#target);
    [url.hostname, url.port] = ['127.0.0.1', String((this.#server.address() as AddressInfo).port)];
    return url.href;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => void this.#server.close(() => resolve()));
  }

  #lead(near: Socket): void {
    const far = connect(Number(this.#target.port), this.#target.hostname);
    far.pipe(near);
    near.pipe(far);
    for (const socket of [near, far]) socket.on('error', () => [near, far].map((each) => each.destroy()));
    let rest = Buffer.alloc(0);
    let role: string | undefined;
    near.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      // The first message has no type; every length counts itself and not the type.
      for (let typed = role === undefined ? 0 : 1; rest.length >= typed + 4; typed = 1) {
        const end = typed + rest.readInt32BE(typed);
        if (rest.length < end) return;
        const body = rest.toString('utf8', typed + 4, end);
        if (typed === 0) role = /role=(gongji_\w+)/.exec(body)?.[1] ?? '';
        else this.#hear(role as RecordedRole, String.fromCharCode(rest[0] ?? 0), body.split('\0'));
        rest = rest.subarray(end);
      }
    });
  }

  #hear(role: RecordedRole, type: string, [first = '', second = '']: readonly string[]): void {
    const text = type === 'Q' ? first : type === 'P' ? second : '';
    // What changes or reads no table can meet no other schema.
    if (/^\s*(select|with|insert|update|delete)\b/i.test(text)) this.heard[role]?.add(text);
  }
}

/** Recorded statements that the database would refuse now, each with the reason. The URL is the owner's. */
export async function refusals(url: string, { statements }: Recorded): Promise<string[]> {
  const found: string[] = [];
  for (const [role, texts] of Object.entries(statements)) {
    const client = new Client({ connectionString: url, options: `-c role=${role} -c search_path=public` });
    await client.connect();
    try {
      // Planned, with the rights looked at, and not executed.
      for (const text of texts)
        await client.query(`explain (generic_plan) ${text}`).catch((error: Error) => {
          found.push(`${role}: ${error.message}: ${text.trim().replaceAll(/\s+/g, ' ').slice(0, 80)}`);
        });
    } finally {
      await client.end();
    }
  }
  return found;
}

/** What rules a table has: of its columns, and those that span them. */
export interface Schema {
  readonly columns: readonly {
    readonly table: string;
    readonly column: string;
    readonly type: string;
    readonly required: boolean;
    readonly filled: boolean;
  }[];
  readonly rules: readonly { readonly table: string; readonly name: string; readonly columns: readonly string[] }[];
}

const COLUMNS = `
  select relname as table, attname as column, format_type(atttypid, atttypmod) as type, attnotnull as required,
    atthasdef or attidentity <> '' as filled
  from pg_attribute join pg_class on pg_class.oid = attrelid
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and attnum > 0 and not attisdropped`;
const RULES = `
  with rule (relid, name, keys) as (
    select conrelid, conname, conkey from pg_constraint where contype <> 'n'
    union all select indrelid, indexrelid::regclass::name, indkey::int2[] from pg_index where indisunique
    union all select tgrelid, tgname, '{}' from pg_trigger where not tgisinternal)
  select relname as table, name,
    array(select attname::text from pg_attribute where attrelid = relid and attnum = any (keys)) as columns
  from rule join pg_class on pg_class.oid = relid where relnamespace = 'public'::regnamespace`;

/** What a database's tables demand of those who write to them. */
export async function readSchema(url: string): Promise<Schema> {
  const client = new Client(url);
  await client.connect();
  try {
    const columns = await client.query<Schema['columns'][number]>(COLUMNS);
    return { columns: columns.rows, rules: (await client.query<Schema['rules'][number]>(RULES)).rows };
  } finally {
    await client.end();
  }
}

/**
 * What a later schema demands that a worker of the earlier one does not know of. Whether what it says is still understood is not asked
 * here (`refusals`); this is what it leaves out, or writes as it always did.
 */
export function newDemands(before: Schema, after: Schema): string[] {
  const tables = new Set(before.columns.map(({ table }) => table));
  const known = new Map(before.columns.map((column) => [`${column.table}.${column.column}`, column]));
  const rules = new Set(before.rules.map(({ table, name }) => `${table}.${name}`));
  const columns = after.columns.flatMap(({ table, column, type, required, filled }): string[] => {
    const name = `${table}.${column}`;
    const old = known.get(name);
    if (!tables.has(table)) return [];
    if (old === undefined) return required && !filled ? [`${name} must be given and has no default`] : [];
    if (old.type !== type) return [`${name} is of another type`];
    return required && !old.required ? [`${name} may not be null any more`] : [];
  });
  const added = after.rules.flatMap(({ table, name, columns: spanned }): string[] => {
    const isNew = tables.has(table) && !rules.has(`${table}.${name}`);
    // A rule of new columns alone is met by what they are left at.
    const isOfOld = spanned.length === 0 || spanned.some((column) => known.has(`${table}.${column}`));
    return isNew && isOfOld ? [`${name} is a new rule for what ${table} had`] : [];
  });
  return [...columns, ...added];
}
