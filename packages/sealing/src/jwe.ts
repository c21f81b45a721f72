import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { EnvelopeKey } from './key-file.ts';

/*
 * A JWE in compact form (RFC 7516) by the algorithms A256KW and A256GCM (RFC 7518, 4.4 and 5.3), which is five parts in base64url. Put
 * together of Node's own primitives and compared with a library in the tests, both ways: the library answers later, by way of a thread, and
 * takes ten times as long for each message, while the transaction that stores it holds its locks.
 */

const WRAP = 'id-aes256-wrap';
const WRAP_START = Buffer.alloc(8, 0xa6);
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const START_BYTES = 12;
const TAG_BYTES = 16;

/** Seals bytes with a key of their own, which the given one wraps. `place` is readable, and cannot be changed. */
export function sealJwe(plain: Buffer, { id, key }: EnvelopeKey, place: string): Buffer {
  const contentKey = randomBytes(KEY_BYTES);
  const wrap = createCipheriv(WRAP, key, WRAP_START);
  const wrapped = Buffer.concat([wrap.update(contentKey), wrap.final()]);
  const start = randomBytes(START_BYTES);
  const header = inText(Buffer.from(JSON.stringify({ alg: 'A256KW', enc: 'A256GCM', kid: id, place })));
  const cipher = createCipheriv(CIPHER, contentKey, start, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(header));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.from([header, ...[wrapped, start, sealed, cipher.getAuthTag()].map(inText)].join('.'));
}

/** What was sealed, and for which place. Throws where any part of it is not as it was left. */
export function openJwe(
  jwe: Buffer,
  keyOf: (id: string) => EnvelopeKey['key'],
): { readonly plain: Buffer; readonly place: unknown } {
  const parts = jwe.toString('latin1').split('.');
  const [header = '', ...binary] = parts;
  const [wrapped, start, sealed, tag] = binary.map((part) => Buffer.from(part, 'base64url'));
  if (parts.length !== 5 || wrapped === undefined || start === undefined || sealed === undefined || tag === undefined)
    throw new Error('expected five parts');
  const { alg, enc, kid, place } = JSON.parse(Buffer.from(header, 'base64url').toString()) as Record<string, unknown>;
  if (alg !== 'A256KW' || enc !== 'A256GCM' || typeof kid !== 'string') throw new Error('expected our algorithms');
  const unwrap = createDecipheriv(WRAP, keyOf(kid), WRAP_START);
  const contentKey = Buffer.concat([unwrap.update(wrapped), unwrap.final()]);
  // A shorter tag would be easier to guess: its length is not the sender's to choose.
  const cipher = createDecipheriv(CIPHER, contentKey, start, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(header));
  cipher.setAuthTag(tag);
  return { plain: Buffer.concat([cipher.update(sealed), cipher.final()]), place };
}

const inText = (bytes: Buffer): string => bytes.toString('base64url');
