import type { Dice } from './dice.ts';

/** Part of hostile texts. It stands for a person's name or number: no error may repeat it. */
export const CANARY = 'Kanarienvogel欧阳某某';

/** Larger than any event may be. */
const MIB = 1 << 20;

/** As JSON writes them, so that what no JavaScript value can be is among them: `1e400`, `-0`, a lone surrogate. */
const SCALARS = [
  ...['null', 'true', 'false', '[]', '{}', '[[]]', '{"":null}', '""', '" "', '"\\t"'],
  ...[
    '0',
    '-0',
    '-1',
    '1e400',
    '-1e400',
    '1E-400',
    '1e-7',
    '1.005',
    '0.1',
    '00',
    '01',
    '+1',
    '.5',
    '1.',
    '0x10',
    'NaN',
  ],
  ...[
    '9007199254740993',
    '99999999999999.99',
    '100000000000000',
    '1.7976931348623157e308',
    '2147483648',
    '-2147483649',
  ],
  ...['"1.005"', '"-0.00"', '"1e3"', '"0x1F"', '"١٢٣"', '"１２.００"', '"𝟏𝟐"', '"1,5"', '" 1"', '"1\\n"', '"²"'],
  ...['"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"a\\u0000b"', '"\\ufeff"', '"\\u202e"', '"\\u001f"', '"\\u007f"'],
  ...['"__proto__"', '"constructor"', '"toString"', '"hasOwnProperty"', '{"__proto__":{"polluted":1}}', '"%00"'],
  ...['"2025-02-30"', '"2024-02-29"', '"0000-01-01"', '"9999-12-31"', '"10000-01-01"', '"-000001-01-01"', '"2025-1-1"'],
  ...['"9999-12"', '"0001-01"', '"2025-13"', '"2999-12-31"', '"1900-01-01"', '"1899-12-31"', '"２０２５-01-01"'],
  ...['"9999-12-31T23:59:59-23:59"', '"0001-01-01T00:00:00+23:59"', '"1900-01-01T00:00:00+23:59"'],
  ...['"2025-03-10T24:00:00Z"', '"2025-03-10T23:59:60Z"', '"2025-03-10T10:00:00"', '"2025-03-10 10:00:00Z"'],
  ...['"2025-12-31T16:00:00.000000001Z"', '"2025-12-31T15:59:59.999999999Z"', '"2025-03-10T10:00:00.1234567890Z"'],
  ...[`"${CANARY}"`, `{"${CANARY}":"${CANARY}"}`, '"\'; drop table account; --"', '"#{7*7}"', '"../../etc/passwd"'],
] as const;

/** A text that is trouble for somebody: to store, to print, to compare, to count. */
export function hostileText(dice: Dice): string {
  return dice.way(
    () => CANARY,
    () => String.fromCharCode(...dice.list(12, () => dice.int(0, 0x2ff))),
    () => String.fromCharCode(...dice.list(12, () => dice.int(0xd7f0, 0xe010))),
    () =>
      dice.pick([
        '\0',
        '\ud800',
        '\ufeffP1',
        'P1\u0000',
        'é',
        'e\u0301',
        '\u202eP1',
        'P1\n',
        '__proto__',
        '%',
        '_',
        '\\',
      ]),
    () => dice.pick(['a', '中', '\u{1f600}', '\u0301', '\\', '"', '%']).repeat(dice.pick([199, 200, 201, 5_000])),
  );
}

/** One JSON value in source text; not always JSON. */
export function hostileJson(dice: Dice): string {
  return dice.way(
    () => dice.pick(SCALARS),
    () => JSON.stringify(hostileText(dice)),
    () => `${dice.int(-9, 9)}${'0'.repeat(dice.int(0, 30))}.${'9'.repeat(dice.int(0, 30))}`,
    () => `[${dice.list(4, () => dice.pick(SCALARS)).join(',')}]`,
    () => `{${dice.list(3, () => `${JSON.stringify(hostileText(dice))}:${dice.pick(SCALARS)}`).join(',')}}`,
  );
}

/** One in so many is made large or deep; such inputs take a hundred times as long to make as to refuse. */
const RARE_PERCENT_OF_PERCENT = 100;

/** A value of a size no honest sender has: a mebibyte of text or digits, a list of that length, a depth of 100,000. */
export function hugeJson(dice: Dice): string {
  const long = dice.pick([70_000, MIB - 400, MIB + 1]);
  return dice.way(
    () => `"${'9'.repeat(long)}"`,
    () => '9'.repeat(long),
    () => `[${'7,'.repeat(long >> 1)}7]`,
    () => `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    () => `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    () => `"${'\\ud800'.repeat(Math.trunc(long / 6))}"`,
    () => '['.repeat(100_000),
  );
}

export const isRare = (dice: Dice): boolean =>
  dice.int(0, RARE_PERCENT_OF_PERCENT * 100) < RARE_PERCENT_OF_PERCENT / 10;

/** The same bytes with a few of them changed, taken away, repeated or put in, or read in another encoding. */
export function damaged(dice: Dice, bytes: Buffer): Buffer {
  const at = dice.int(0, bytes.length);
  const to = dice.int(at, Math.min(bytes.length, at + 8));
  const cut = (into: Buffer) => Buffer.concat([bytes.subarray(0, at), into, bytes.subarray(to)]);
  return dice.way(
    () => cut(dice.bytes(8)),
    () => bytes.subarray(0, at),
    () =>
      cut(Buffer.from(dice.pick([',', ':', '"', '{', '}', '[', ']', '\\', '\n', '\0', '\ufeff', '#', '&a ', '*a']))),
    () => Buffer.concat([bytes, bytes.subarray(at, to), bytes]),
    () => Buffer.concat([Buffer.from('\ufeff'), bytes]),
    () => Buffer.from(bytes.toString(), dice.pick(['latin1', 'utf16le'] as const)),
    () => dice.bytes(200),
  );
}
