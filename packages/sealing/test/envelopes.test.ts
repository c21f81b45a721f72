import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose';
import { expect, test } from 'vitest';
import { type Content, Envelopes, newKey, openIfPossible, type SealedContent, Unopened } from '../src/index.ts';

const PLACE = { topic: 'gongji.members.v1', partition: 3, offset: 1042n };
const CONTENT: Content = {
  headers: [
    ['ce_type', Buffer.from('account.opened')],
    ['bytes', Buffer.from([0, 10, 255])],
  ],
  value: Buffer.from('{"psn_name":"张三",\n"certno":"11010519491231002X"}'),
};
const [OLD, NEW] = [newKey(), newKey()];

const codeOf = (opening: () => Content): unknown => {
  try {
    opening();
    return 'opened';
  } catch (error) {
    return error instanceof Unopened ? error.code : error;
  }
};

test.for<[string, Content]>([
  ['a value and its headers', CONTENT],
  ['a value of no bytes', { headers: [], value: Buffer.alloc(0) }],
  ['no value', { headers: CONTENT.headers, value: null }],
  ['bytes that are no text', { headers: [], value: Buffer.from([10, 0, 10, 255, 254]) }],
  ['the largest message', { headers: [], value: Buffer.alloc(10 << 20, 7) }],
])('%s are opened to the byte', async ([, content]) => {
  const keys = Envelopes.of(OLD);
  const sealed = keys.seal(PLACE, content);
  expect(sealed.bytes).toBe(content.value?.length ?? 0);
  const opened = keys.open(PLACE, sealed);
  expect(opened.headers).toEqual(content.headers);
  expect(content.value === null ? opened.value : opened.value?.equals(content.value)).toBe(
    content.value === null ? null : true,
  );
});

test('a seal is a JWE with a key of its own, tells its place and its key’s name, and nothing of the message', async () => {
  const keys = Envelopes.of(OLD);
  const [one, other] = [keys.seal(PLACE, CONTENT), keys.seal(PLACE, CONTENT)];
  const [header, wrapped] = one.sealed.toString().split('.');
  expect(other.sealed.toString().split('.')[1]).not.toBe(wrapped);
  expect(decodeProtectedHeader(one.sealed.toString())).toEqual({
    ...{ alg: 'A256KW', enc: 'A256GCM', place: 'gongji.members.v1/3@1042' },
    kid: expect.stringMatching(/^[\w-]{16}$/),
  });
  expect(header).toBe(other.sealed.toString().split('.')[0]);
  for (const secret of ['certno', '11010519491231002X', 'account.opened'])
    expect(Buffer.from(one.sealed).includes(secret)).toBe(false);
});

test('whoever has the key can open a seal with any library, and what a library seals is opened', async () => {
  const keys = Envelopes.of(OLD);
  const key = Buffer.from(OLD, 'base64');
  const one = keys.seal(PLACE, CONTENT);
  const { plaintext } = await compactDecrypt(one.sealed, key);
  expect(Buffer.from(plaintext).includes('11010519491231002X')).toBe(true);
  const header = decodeProtectedHeader(one.sealed.toString()) as { alg: string; enc: string };
  const byLibrary = await new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(key);
  expect(keys.open(PLACE, { ...one, sealed: Buffer.from(byLibrary) })).toEqual(CONTENT);
});

test('the first key seals and every key opens: a new one is put on top', async () => {
  const before = Envelopes.of(OLD).seal(PLACE, CONTENT);
  const both = Envelopes.of(NEW, OLD);
  expect(both.open(PLACE, before)).toEqual(CONTENT);
  const after = both.seal(PLACE, CONTENT);
  expect(Envelopes.of(NEW).open(PLACE, after)).toEqual(CONTENT);
  expect(codeOf(() => Envelopes.of(OLD).open(PLACE, after))).toBe('KEY_MISSING');
});

test('with another key it cannot be opened, and the error names the key that is missing and no key', async () => {
  const sealed = Envelopes.of(OLD).seal(PLACE, CONTENT);
  const { kid } = decodeProtectedHeader(sealed.sealed.toString());
  const opening = () => Envelopes.of(NEW).open(PLACE, sealed);
  expect(opening).toThrow(`expected the key ${kid} in the file that GONGJI_ENVELOPE_KEY_FILE names`);
  for (const key of [OLD, NEW]) expect(opening).not.toThrow(key);
});

test('what was changed, cut off or moved to another place is not opened', async () => {
  const keys = Envelopes.of(OLD);
  const sealed = keys.seal(PLACE, CONTENT);
  const changed = (change: (bytes: Buffer) => Buffer): SealedContent => ({
    ...sealed,
    sealed: change(Buffer.from(sealed.sealed)),
  });
  const flip = (at: number) => (bytes: Buffer) => {
    bytes[at] = bytes[at] === 65 ? 66 : 65;
    return bytes;
  };
  const [header, wrapped = '', ...rest] = sealed.sealed.toString().split('.');
  const lengthOfHeader = String(header).length;
  for (const at of [5, lengthOfHeader + 5, lengthOfHeader + wrapped.length + 5, 300, sealed.sealed.length - 2])
    expect(codeOf(() => keys.open(PLACE, changed(flip(at))))).toBe('DAMAGED');
  const shortTag = [header, wrapped, ...rest.slice(0, 2), rest[2]?.slice(0, 6)].join('.');
  for (const text of ['', 'a.b.c.d.e', sealed.sealed.toString().slice(0, 100), shortTag])
    expect(
      codeOf(() =>
        keys.open(
          PLACE,
          changed(() => Buffer.from(text)),
        ),
      ),
    ).toBe('DAMAGED');
  expect(codeOf(() => keys.open({ ...PLACE, offset: 1043n }, sealed))).toBe('DAMAGED');
  expect(codeOf(() => keys.open({ ...PLACE, topic: 'other' }, sealed))).toBe('DAMAGED');
});

test('what a version before sealing left in clear is read as it is', async () => {
  expect(Envelopes.of(OLD).open(PLACE, CONTENT)).toBe(CONTENT);
  expect(openIfPossible(null, PLACE, CONTENT)).toBe(CONTENT);
});

test('whoever has no key is told how large it is, and which setting is missing', async () => {
  const sealed = Envelopes.of(OLD).seal(PLACE, CONTENT);
  const bytes = CONTENT.value?.length;
  const closed = { headers: [], value: null };
  expect(openIfPossible(null, PLACE, sealed)).toEqual({
    ...closed,
    unopened: { why: 'sealed: expected GONGJI_ENVELOPE_KEY_FILE to be set', bytes },
  });
  expect(openIfPossible(Envelopes.of(NEW), PLACE, sealed)).toMatchObject({
    ...closed,
    unopened: { why: expect.stringContaining('GONGJI_ENVELOPE_KEY_FILE'), bytes },
  });
});
