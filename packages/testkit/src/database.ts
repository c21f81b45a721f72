import { createHash, randomBytes } from 'node:crypto';
import { Client, escapeIdentifier } from 'pg';
import { inject } from 'vitest';
import { PEOPLE_FILE, PersonalData } from './personal.ts';

export interface ClonedDatabase {
  /** The owner's URL of a database no other test file uses. */
  readonly url: string;
  readonly name: string;
  /** Drops it now, for a file that needs hundreds. */
  drop(): Promise<void>;
}

export interface CloneOptions {
  /** Names the schema: databases of one key share a template. A hash of the migrations is a good key. */
  readonly key: string;
  /** Brings an empty database to the schema and closes its connections. Runs once per key and server. */
  readonly migrate: (url: string) => Promise<void>;
}

const cloned = new Set<ClonedDatabase>();

async function dropNow(database: ClonedDatabase): Promise<void> {
  await withAdmin((admin) => admin.query(`DROP DATABASE ${escapeIdentifier(database.name)} WITH (FORCE)`));
  cloned.delete(database);
}

/**
 * A fresh database with the schema of `migrate`, cloned from a template in about 50 ms. May be called at a test file's top
 * level, in `beforeAll` or in a test. It goes away after the file's last hook, unless a test failed: then it is kept,
 * and named in the output.
 */
export async function cloneDatabase({ key, migrate }: CloneOptions): Promise<ClonedDatabase> {
  const serverUrl = inject('databaseUrl');
  const template = `template_${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
  const name = `test_${randomBytes(6).toString('hex')}`;
  await withAdmin(async (admin) => {
    await ensureTemplate({ admin, serverUrl, template, migrate });
    await admin.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)}`);
  });
  const database = { name, url: urlOf(serverUrl, name), drop: () => dropNow(database) };
  cloned.add(database);
  return database;
}

interface TemplateOptions {
  readonly admin: Client;
  readonly serverUrl: string;
  readonly template: string;
  readonly migrate: (url: string) => Promise<void>;
}

/** One process migrates while the others wait for its advisory lock; the name appears only when the schema is complete. */
async function ensureTemplate({ admin, serverUrl, template, migrate }: TemplateOptions): Promise<void> {
  if (await exists(admin, template)) return;
  await admin.query('SELECT pg_advisory_lock(hashtext($1))', [template]);
  try {
    if (await exists(admin, template)) return;
    const draft = `${template}_draft`;
    await admin.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(draft)} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${escapeIdentifier(draft)} TEMPLATE template0`);
    await migrate(urlOf(serverUrl, draft));
    await admin.query(`ALTER DATABASE ${escapeIdentifier(draft)} RENAME TO ${escapeIdentifier(template)}`);
  } finally {
    await admin.query('SELECT pg_advisory_unlock(hashtext($1))', [template]);
  }
}

async function exists(admin: Client, name: string): Promise<boolean> {
  const { rowCount } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  return rowCount === 1;
}

async function withAdmin<T>(work: (admin: Client) => Promise<T>): Promise<T> {
  const admin = new Client({ connectionString: inject('databaseUrl') });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** Drops the databases this test file cloned, or names them when it failed. The vitest setup file calls it last. */
export async function releaseDatabases(failed: boolean): Promise<void> {
  const databases = [...cloned];
  cloned.clear();
  if (databases.length === 0) return;
  if (failed) {
    // The URL is not printed: it holds the password.
    console.error(`kept for inspection: database ${databases.map(({ name }) => name).join(', ')}`);
    return;
  }
  await tellOfPeople(databases);
  await withAdmin(async (admin) => {
    for (const { name } of databases)
      await admin.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
  });
}

/** Whoever a test has brought into its database is told to the run, which looks for them in all that is printed. */
async function tellOfPeople(databases: readonly ClonedDatabase[]): Promise<void> {
  if (process.env[PEOPLE_FILE] === undefined) return;
  for (const { url } of databases) (await peopleIn(url)).tellRun();
}

/** Everybody whom a database of ours knows, by whichever way they came; nobody where it has no people. */
export async function peopleIn(url: string): Promise<PersonalData> {
  const people = new PersonalData();
  await using stack = new AsyncDisposableStack();
  const client = new Client({ connectionString: url });
  stack.defer(() => client.end());
  await client.connect();
  const { rowCount } = await client.query(`select from pg_class where oid = to_regclass('public.person_name')`);
  if (rowCount === 0) return people;
  const { rows } = await client.query<{ person: string }>(
    'select json_build_object($$psn_no$$, psn_no, $$psn_name$$, psn_name)::text as person from account left join person_name using (psn_no)',
  );
  for (const { person } of rows) people.note(person);
  return people;
}
