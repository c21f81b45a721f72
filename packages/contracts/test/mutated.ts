import fc from 'fast-check';
import { DECODE_LIMITS, type DecodedClaims, type DecodedMembers, decodeClaims, decodeMembers } from '../src/index.ts';
import { CHECK_SAMPLE, CLAIM_SAMPLES, CLAIM_TYPES, MEMBER_SAMPLES, MEMBER_TYPES, record } from './samples.ts';

const SAMPLES: Readonly<
  Record<string, { readonly key?: string; readonly required: object; readonly optional: object }>
> = {
  ...CLAIM_SAMPLES,
  ...MEMBER_SAMPLES,
  'arrears.check': CHECK_SAMPLE,
};
/** Anything that is no moment of the far future: how late a moment may be is not the schema's to say. */
const LIMITS = { ...DECODE_LIMITS, futureDaysMax: 4_000_000 };

/** Texts on the edge of some field's rule, those of every other field among them, and slips of the keyboard. */
const edges = fc.constantFrom(
  ...[
    '',
    ' ',
    '0',
    '00',
    '0.0',
    '0.00',
    '-0.01',
    '1.005',
    '1.',
    '.5',
    '1e2',
    '99999999999999.99',
    '100000000000000',
    '+1',
  ],
  ...[
    '2025-02-28',
    '2025-02-29',
    '2024-02-29',
    '1900-02-29',
    '2000-02-29',
    '0000-02-29',
    '0001-01-01',
    '1899-12-31',
    '1900-01-01',
  ],
  ...[
    '2999-12-31',
    '3000-01-01',
    '9999-12-30',
    '2025-04-31',
    '2025-13-01',
    '2025-00-10',
    '2025-1-1',
    '2025-01',
    '1899-12',
    '2999-12',
    '3000-01',
  ],
  ...[
    '2025-01-01T10:00Z',
    '2025-01-01T10:00:00.123456789+08',
    '2025-01-01T24:00:00Z',
    '2025-01-01T23:60:00Z',
    '2025-01-01T10:00:00+0800',
  ],
  ...[
    '2025-01-01T10:00:00',
    '2025-01-01 10:00:00Z',
    '2023-02-29T10:00:00Z',
    '2024-02-29T10:00:00-23:59',
    '1899-12-31T23:00:00-08:00',
    '1900-01-01T00:00:00+23:59',
  ],
  ...[
    '330106',
    '33010',
    '３３０１０６',
    '1101',
    'ABCDEFGHIJ',
    'ABCDEFGHIJK',
    '11',
    '11111111111',
    'P1',
    'é',
    '张三',
    '😀',
    'a\u0000b',
    'a\u007f',
    '\n',
    '\ud800',
    'x'.repeat(200),
    'x'.repeat(201),
  ],
  ...['ACTIVE', 'active', 'PENDING', 'PAUSED', 'EXPIRED', 'USER', 'SPOUSE', 'MEDICAL', 'INTEREST'],
);
const others = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    1,
    -1,
    2025,
    2025.5,
    1e300,
    1990,
    9999,
    10_000,
    [],
    {},
    ['USER'],
    ['2025-01'],
    ['2025-13'],
    [null],
    ['USER', 'NOBODY'],
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const slip = fc.tuple(fc.nat(), fc.constantFrom('', '0', '9', '-', ':', 'T', 'x', '.'));
type Change = { readonly to: unknown } | { readonly slip: readonly [number, string] } | 'ABSENT';
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: edges.map((to) => ({ to })) },
  { weight: 2, arbitrary: others.map((to) => ({ to })) },
  { weight: 2, arbitrary: slip.map((made) => ({ slip: made })) },
  { weight: 1, arbitrary: fc.constant('ABSENT' as const) },
);
const types = [...CLAIM_TYPES, ...MEMBER_TYPES, 'arrears.check'];
/** An input event near its rules: up to two of its fields are something else or gone. */
export const mutated = fc
  .tuple(fc.constantFrom(...types), fc.boolean(), fc.array(fc.tuple(fc.nat(), change), { maxLength: 2 }))
  .map(([type, all, changes]) => {
    const { required, optional } = SAMPLES[type] ?? { required: {}, optional: {} };
    const fields: Record<string, unknown> = all ? { ...required, ...optional } : { ...required };
    const names = Object.keys({ ...required, ...optional });
    for (const [place, made] of changes) {
      const name = names[place % names.length] ?? '';
      if (made === 'ABSENT') delete fields[name];
      else if ('to' in made) fields[name] = made.to;
      else if (typeof fields[name] === 'string') fields[name] = slipped(fields[name], made.slip);
    }
    return { type, fields };
  });

function slipped(text: string, [at, put]: readonly [number, string]): string {
  const place = at % Math.max(1, text.length);
  return `${text.slice(0, place)}${put}${text.slice(place + 1)}`;
}

/** What the decoder makes of the fields, under the key that they are of. */
export function decoded(type: string, fields: Readonly<Record<string, unknown>>): DecodedClaims | DecodedMembers {
  const key = fields[SAMPLES[type]?.key ?? ''];
  const raw = record(JSON.stringify(fields), { type, ...(typeof key === 'string' ? { key } : {}) });
  // A key is bytes, so a text that is no text has none that equals it.
  const keyed = { ...raw, key: typeof key === 'string' && !key.isWellFormed() ? null : raw.key };
  return Object.hasOwn(CLAIM_SAMPLES, type) ? decodeClaims(keyed, LIMITS) : decodeMembers(keyed, LIMITS);
}

/** Whether the decoder takes the fields. That amounts do not add up, or that the key is another's, no schema can say. */
export function isTaken(type: string, fields: Readonly<Record<string, unknown>>): boolean {
  const read = decoded(type, fields);
  return read.kind !== 'BAD' || read.code === 'CLAIM_IDENTITY_VIOLATION';
}

/** Of an amount sent as a number the decoder reads the source text, of which JSON Schema knows nothing: it takes all that the decoder takes. */
const AMOUNTS = /amt$|^(amount|overlmt_selfpay|prior_year|current_year|daily_limit|authorised_amount)$/;
export const hasNumericAmount = (fields: object): boolean =>
  Object.entries(fields).some(([name, value]) => AMOUNTS.test(name) && typeof value === 'number');
