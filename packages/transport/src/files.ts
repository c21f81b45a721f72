import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Where certificates and a key are kept, in PEM. */
export interface TlsFiles {
  /** Authorities to trust; Node's own list where absent. */
  readonly ca?: string | undefined;
  /** Our own certificate with its chain, where the server asks for one. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** What `tls.connect` takes of them. */
export interface TlsOptions {
  /** What the server's certificate must be for, where the one who connects does not say so. */
  readonly host?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Options that read their files anew for every connection: after certificates have been replaced, new connections use the new ones and
 * none needs a restart. A file that is away at that moment, since it is just being replaced, counts as it was.
 */
export function tlsOptions(files: TlsFiles): TlsOptions {
  const options: TlsOptions = {};
  for (const name of ['ca', 'cert', 'key'] as const) {
    const path = files[name];
    if (path === undefined) continue;
    let text = readFileSync(path, 'utf8');
    Object.defineProperty(options, name, {
      enumerable: true,
      // node-postgres hides the key from stack traces.
      configurable: true,
      get: () => {
        if (readingProblem(path) === null) text = readFileSync(path, 'utf8');
        return text;
      },
    });
  }
  return options;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The reason a file cannot be read, or null. */
function readingProblem(path: string): string | null {
  try {
    readFileSync(path);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read (${code})`;
  }
}

function certificatesOf(path: string): X509Certificate[] {
  return (readFileSync(path, 'utf8').match(BLOCK) ?? []).map((block) => new X509Certificate(block));
}

const day = (date: Date): string => date.toISOString().slice(0, 10);

function validityProblem(path: string, { validFromDate, validToDate }: X509Certificate, now: Date): string | null {
  if (validToDate < now) return `the certificate in ${path} expired on ${day(validToDate)}: put a new one there`;
  if (validFromDate > now) return `the certificate in ${path} is valid from ${day(validFromDate)} on only`;
  return null;
}

/**
 * What is wrong with a file of certificates, or null. Of a bundle of authorities one that can be used is enough: while they are being
 * replaced, the old stands beside the new.
 */
export function certificateProblem(path: string, kind: 'authorities' | 'own', now = new Date()): string | null {
  const unread = readingProblem(path);
  if (unread !== null) return unread;
  let found: X509Certificate[];
  try {
    found = certificatesOf(path);
  } catch {
    return `${path} holds a damaged certificate`;
  }
  const problems = found.map((certificate) => validityProblem(path, certificate, now));
  if (problems.length === 0) return `${path} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)`;
  // Our own comes first, then its chain.
  return (
    (kind === 'own' ? problems[0] : problems.find((problem) => problem === null) === null ? null : problems[0]) ?? null
  );
}

function keyIn(path: string): KeyObject | null {
  try {
    return createPrivateKey(readFileSync(path));
  } catch {
    return null;
  }
}

/** What is wrong with the file of a private key, or null. */
export const keyProblem = (path: string): string | null =>
  readingProblem(path) ?? (keyIn(path) === null ? `${path} holds no private key in PEM without a passphrase` : null);

/** Whether the certificate was made for the key; true where either is wrong in itself. */
export function belongTogether(certPath: string, keyPath: string): boolean {
  if (certificateProblem(certPath, 'own') !== null) return true;
  const [certificate] = certificatesOf(certPath);
  const key = keyIn(keyPath);
  return certificate === undefined || key === null || certificate.checkPrivateKey(key);
}
