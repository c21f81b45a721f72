import { resolve } from 'node:path';
import { certificateProblem, keyProblem, type TlsOptions, tlsOptions } from './files.ts';

/** Parameters of libpq that are understood here; every other one of its `ssl…` is refused rather than passed over. */
const FILES = { sslrootcert: 'ca', sslcert: 'cert', sslkey: 'key' } as const;
const UNDERSTOOD: ReadonlySet<string> = new Set(['sslmode', ...Object.keys(FILES)]);
const isAboutTls = (name: string): boolean => /^ssl|^uselibpqcompat$/.test(name);

/** As in libpq: the authorities that Node brings along. */
const SYSTEM = 'system';

/**
 * What is wrong with a database URL, in itself and in what it says about TLS, or null. Of libpq's modes the two that promise
 * something are taken: `verify-full`, and `disable`. What lies between encrypts for whoever answers, and drivers differ about it.
 */
export function databaseUrlProblem(text: string, now = new Date()): string | null {
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) return 'must be a postgresql:// URL';
  const all = [...url.searchParams].filter(([name]) => isAboutTls(name));
  const given = new Map(all);
  // Of two that say otherwise, one would be obeyed without a word.
  const repeated = all.find(([name], at) => all.findIndex(([other]) => other === name) < at)?.[0];
  if (repeated !== undefined) return `has ${repeated} more than once`;
  const unknown = [...given.keys()].find((name) => !UNDERSTOOD.has(name));
  if (unknown !== undefined)
    return `has ${unknown}, which is not understood: write sslmode=verify-full and sslrootcert`;
  const mode = given.get('sslmode');
  if (mode !== 'verify-full') {
    if (mode !== undefined && mode !== 'disable') return 'must have sslmode=verify-full, or disable';
    const [useless] = [...given.keys()].filter((name) => name !== 'sslmode');
    return useless === undefined ? null : `has ${useless}, which needs sslmode=verify-full`;
  }
  const { sslrootcert: ca = SYSTEM, sslcert: cert, sslkey: key } = Object.fromEntries(given);
  if ((cert === undefined) !== (key === undefined)) return 'must have both sslcert and sslkey, or neither';
  return (
    (ca === SYSTEM ? null : certificateProblem(ca, 'authorities', now)) ??
    (cert === undefined ? null : certificateProblem(cert, 'own', now)) ??
    (key === undefined ? null : keyProblem(key))
  );
}

/** A database URL as node-postgres takes it. */
export interface DatabaseConnection {
  readonly connectionString: string;
  /** False: no TLS. Absent: what `PGSSLMODE` says, else no TLS. */
  readonly ssl?: TlsOptions | false;
}

/**
 * Takes what a database URL says about TLS out of it. MikroORM passes over all parameters of a URL, so that one with
 * `sslmode=verify-full` would connect without TLS and without a word. Throws where {@link databaseUrlProblem} finds a problem.
 */
export function databaseConnection(text: string): DatabaseConnection {
  const problem = databaseUrlProblem(text);
  // The URL is not shown: it holds the password.
  if (problem !== null) throw new DatabaseUrlError(`the database URL ${problem}`);
  const url = new URL(text);
  const mode = url.searchParams.get('sslmode');
  const files = Object.entries(FILES).flatMap(([name, file]) => {
    const path = url.searchParams.get(name);
    return path === null || path === SYSTEM ? [] : [[file, path] as const];
  });
  for (const name of UNDERSTOOD) url.searchParams.delete(name);
  const connectionString = url.href;
  if (mode === null) return { connectionString };
  if (mode === 'disable') return { connectionString, ssl: false };
  // The node-postgres 8.23.0 that MikroORM brings along says no host where it is an address, and Node then looks for `localhost`.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { connectionString, ssl: Object.assign(tlsOptions(Object.fromEntries(files)), { host }) };
}

/** A database URL whose files are named as seen from this folder, for a process that runs in another one. */
export function withAbsoluteFiles(text: string): string {
  const url = URL.parse(text);
  if (url === null) return text;
  for (const name of Object.keys(FILES)) {
    const path = url.searchParams.get(name);
    if (path !== null && path !== SYSTEM) url.searchParams.set(name, resolve(path));
  }
  return url.href;
}

/** The URL, or a file it names, cannot be used; the message may be shown. */
export class DatabaseUrlError extends Error {
  override readonly name = 'DatabaseUrlError';
  readonly code = 'DATABASE_URL_INVALID';
}
