import { openJwe, sealJwe } from './jwe.ts';
import { type EnvelopeKey, KEY_FILE_SETTING, keyFrom, readKeyFile } from './key-file.ts';

/** What a message says, without whom it is about: its value and the headers it came with. */
export interface Content {
  readonly headers: readonly (readonly [name: string, value: Buffer])[];
  readonly value: Buffer | null;
}

/** The same, sealed: a JWE in compact form, and how many bytes the value has that is in it. */
export interface SealedContent {
  readonly sealed: Buffer;
  readonly bytes: number;
}

/** As it is stored: sealed, or in clear where a version before sealing left it. */
export type StoredContent = Content | SealedContent;

/** Where a message was in its input topic, which nothing else ever is. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint | string;
}

export const isSealed = (stored: StoredContent): stored is SealedContent => 'sealed' in stored;

/** KEY_MISSING: no key at hand opens it. DAMAGED: it is not what was sealed for this place. */
type UnopenedCode = 'KEY_MISSING' | 'DAMAGED';

/** A sealed message that cannot be opened. Names the key that is missing, and neither a key nor anything of the message. */
export class Unopened extends Error {
  override readonly name = 'Unopened';
  readonly code: UnopenedCode;

  constructor(code: UnopenedCode, expected: string) {
    super(expected);
    this.code = code;
  }
}

/**
 * Seals what a message says before it is stored: a fresh key for each message, wrapped by the first key of a file. Any key of the file
 * opens. Knows no table and no topic: a message is bound to its place, so that it opens nowhere else.
 */
export class Envelopes {
  readonly #path: string | null;
  #keys: readonly EnvelopeKey[];

  private constructor(path: string | null, keys: readonly EnvelopeKey[]) {
    this.#path = path;
    this.#keys = keys;
  }

  /** With the keys of a file. Throws, saying what was expected, where it cannot be used. */
  static read(path: string): Envelopes {
    const keys = readKeyFile(path);
    if (typeof keys === 'string') throw new Error(`${KEY_FILE_SETTING} ${keys}`);
    return new Envelopes(path, keys);
  }

  /** With keys as they would stand in the file, the one that seals first. */
  static of(...lines: readonly [string, ...string[]]): Envelopes {
    const keys = lines.map(keyFrom);
    return new Envelopes(
      null,
      keys.map((key) => {
        if (key === null) throw new Error('expected keys of 32 bytes in base64');
        return key;
      }),
    );
  }

  seal(place: Place, content: Content): SealedContent {
    const [first] = this.#keys;
    if (first === undefined) throw new Error('there is always a key');
    return { sealed: sealJwe(pack(content), first, nameOf(place)), bytes: content.value?.length ?? 0 };
  }

  /** What was sealed for this place; what is in clear is answered as it is. Throws {@link Unopened}. */
  open(place: Place, stored: StoredContent): Content {
    if (!isSealed(stored)) return stored;
    try {
      const opened = openJwe(stored.sealed, (id) => this.#keyNamed(id));
      if (opened.place === nameOf(place)) return unpack(opened.plain);
    } catch (error) {
      if (error instanceof Unopened) throw error;
      // Which of its parts is wrong would help only whoever changed it.
    }
    throw new Unopened('DAMAGED', 'expected what was sealed for this place: it was changed, or moved here');
  }

  /** Read again before it is called missing: a key may have been added since. */
  #keyNamed(id: string): EnvelopeKey['key'] {
    const known = this.#keys.find((key) => key.id === id);
    if (known !== undefined) return known.key;
    const read = this.#path === null ? 'none' : readKeyFile(this.#path);
    if (typeof read !== 'string') this.#keys = read;
    const found = this.#keys.find((key) => key.id === id);
    if (found === undefined)
      throw new Unopened('KEY_MISSING', `expected the key ${printable(id)} in the file that ${KEY_FILE_SETTING} names`);
    return found.key;
  }
}

/** What a message says, or, where it cannot be opened, nothing: why, and how large its value is. */
export interface Opened extends Content {
  readonly unopened?: { readonly why: string; readonly bytes: number };
}

/** For whoever lists what is stored, with keys or without: what cannot be opened hides nothing else. */
export function openIfPossible(envelopes: Envelopes | null, place: Place, stored: StoredContent): Opened {
  if (!isSealed(stored)) return stored;
  const closed = (why: string): Opened => ({ headers: [], value: null, unopened: { why, bytes: stored.bytes } });
  if (envelopes === null) return closed(`sealed: expected ${KEY_FILE_SETTING} to be set`);
  try {
    return envelopes.open(place, stored);
  } catch (error) {
    if (error instanceof Unopened) return closed(`sealed: ${error.message}`);
    throw error;
  }
}

const nameOf = ({ topic, partition, offset }: Place): string => `${topic}/${partition}@${offset}`;

/** A key's name as it stood in what is stored, which anybody may have written. */
const printable = (id: string): string => id.replace(/[^\w-]/g, '?').slice(0, 16);

const LINE_END = 0x0a;

/** A line of headers in JSON, their values in base64, and behind its end the value, if there is one. */
function pack({ headers, value }: Content): Buffer {
  const line = Buffer.from(JSON.stringify(headers.map(([name, bytes]) => [name, bytes.toString('base64')])));
  return value === null ? line : Buffer.concat([line, Buffer.of(LINE_END), value]);
}

function unpack(packed: Buffer): Content {
  const end = packed.indexOf(LINE_END);
  const line = end < 0 ? packed : packed.subarray(0, end);
  const headers = JSON.parse(line.toString()) as [string, string][];
  return {
    headers: headers.map(([name, base64]) => [name, Buffer.from(base64, 'base64')] as const),
    value: end < 0 ? null : packed.subarray(end + 1),
  };
}
