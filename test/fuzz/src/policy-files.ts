import { PARAMETER_NAMES } from '@repo/policy';
import type { Dice } from './dice.ts';
import { damaged, hostileText, isRare } from './hostile.ts';

const REGIONS = [
  '330000',
  '330106',
  '000000',
  'T1',
  'T2',
  'T6000',
  '999999',
  '33000',
  "'330000'",
  '0x50910',
  '1e5',
  '٣٣٠٠٠٠',
];
const DATES = [
  'null',
  '~',
  '',
  '2025-01-01',
  '2024-12-31',
  '2025-02-30',
  '0000-01-01',
  '9999-12-31',
  '10000-01-01',
  'LAST',
];
const SCALARS = [
  ...[
    'true',
    'false',
    'yes',
    'on',
    'null',
    '~',
    '""',
    "''",
    '0',
    '-0',
    '00',
    '0.00',
    '1e400',
    '.inf',
    '.nan',
    '0o17',
    '1_000',
  ],
  ...[
    '3000',
    '"3000.00"',
    '99999999999999.99',
    '100000000000000',
    '1.005',
    '-1',
    '+1',
    '4',
    '2',
    '28',
    '29',
    'LAST',
    '9999',
  ],
  ...['SPOUSE', '[SPOUSE, CHILD]', '[SPOUSE, SPOUSE]', '[INPATIENT]', '[]', '{}', 'NATIONWIDE', 'PRIOR_YEAR', 'AUTO'],
  ...[
    '{2025: [400]}',
    '{2025: []}',
    '{__proto__: [1]}',
    '{"2025": ["400.00"], 2025: [1]}',
    '{? [a] : [b]}',
    '{[a]: b}',
  ],
  ...[
    '*a',
    '&a [x, x]',
    '&b [*a, *a]',
    '!!int 5',
    '!!js/function x',
    '!<tag:x> y',
    '!!binary AA==',
    '<<',
    '|',
    '>-',
    '- x',
  ],
  ...[
    '"\\x00"',
    '"\\ud800"',
    '"\\u202e"',
    '"\\xff',
    "'",
    '"',
    '[',
    '{',
    '\t',
    '#',
    '@',
    '`',
    '%YAML 9',
    '...',
    '---',
    ':',
    ': :',
  ],
] as const;
const NAMES = [
  'regionCode',
  'effectiveFrom',
  'effectiveTo',
  'extends',
  '__proto__',
  'constructor',
  'toString',
  '<<',
  '? a',
  '',
];

/** Repeated until the file is as large as a policy may be, or larger. */
const REPEATED = [
  '[',
  '{a: ',
  '- ',
  '? ',
  ',',
  '}',
  ': ',
  '&',
  '!',
  '#',
  '\n',
  '\t',
  ' ',
  '---\n',
  '%YAML 9\n',
  'a: 1\n',
  '"\\n',
  '*a,',
];
const SIZES = [1_000, 10_000, 65_000, 66_000, 1 << 20];

function writtenValue(dice: Dice): string {
  return dice.way(
    () => dice.pick(SCALARS),
    () => JSON.stringify(hostileText(dice)),
    () => hostileText(dice),
    () => `[${dice.list(4, () => dice.pick(SCALARS)).join(', ')}]`,
    () => `{${dice.list(3, () => `${dice.pick(SCALARS)}: ${dice.pick(SCALARS)}`).join(', ')}}`,
    () => `${'['.repeat(dice.int(1, 60))}${']'.repeat(dice.int(1, 60))}`,
  );
}

/** A policy file as an operator's slip or somebody's malice may leave it. */
export function policyFile(dice: Dice): Buffer {
  if (isRare(dice)) {
    const unit = dice.pick(REPEATED);
    return Buffer.from(`a: ${unit.repeat(dice.pick(SIZES) / unit.length)}`);
  }
  const header = [
    `regionCode: ${dice.pick(REGIONS)}`,
    `effectiveFrom: ${dice.pick(DATES)}`,
    `effectiveTo: ${dice.pick(DATES)}`,
  ].filter(() => dice.chance(97));
  const lines = dice.list(
    6,
    () => `${dice.chance(85) ? dice.pick(PARAMETER_NAMES) : dice.pick(NAMES)}: ${writtenValue(dice)}`,
  );
  if (dice.chance(15)) lines.push(`extends: ${dice.pick(REGIONS)}`);
  const text = [...header, ...lines].join(dice.pick(['\n', '\n', '\n', '\r\n', '\r', '\n\n']));
  const bytes = Buffer.from(dice.chance(10) ? asJson(lines, dice) : text);
  return dice.chance(20) ? damaged(dice, bytes) : bytes;
}

const asJson = (lines: readonly string[], dice: Dice): string =>
  `{"regionCode":"330000","effectiveFrom":null,"effectiveTo":null${lines.map((line) => `,"${line.split(':')[0]}":${writtenValue(dice)}`).join('')}}`;
