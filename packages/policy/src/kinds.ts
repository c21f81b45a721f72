import { type CalendarDate, type Money, money, parseDate } from '@repo/domain';

/**
 * A value of a policy file as it was written. Scalars keep their source text, so `000000` keeps its zeros and `398.10`
 * its fen: nothing passes through a JavaScript number. `plain` tells `true` from `"true"`. Aliases are `unsupported`.
 */
export type Raw =
  | { readonly kind: 'scalar'; readonly text: string; readonly plain: boolean }
  | { readonly kind: 'list'; readonly items: readonly Raw[] }
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, Raw> }
  | { readonly kind: 'unsupported' };

/** How one type of value is read. `expected` completes "expected …" in a problem and is the type shown in the documentation. */
export interface Kind<T> {
  readonly expected: string;
  /** The value, or undefined where `raw` is not of this kind. */
  readonly read: (raw: Raw) => T | undefined;
}

const textOf = (raw: Raw): string | undefined => (raw.kind === 'scalar' ? raw.text : undefined);
const plainOf = (raw: Raw): string | undefined => (raw.kind === 'scalar' && raw.plain ? raw.text : undefined);

/** Reads a whole list, or nothing: one bad item spoils it. */
function readAll<T>(raws: Iterable<Raw>, read: (raw: Raw) => T | undefined): T[] | undefined {
  const values: T[] = [];
  for (const raw of raws) {
    const value = read(raw);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

/** A plain `true` or `false`. YAML 1.1's `yes` and `on`, and the text `"true"`, are refused: they mean different things to different readers. */
export const TRUE_OR_FALSE: Kind<boolean> = {
  expected: 'true or false',
  read: (raw) => BOOLEANS.get(plainOf(raw) ?? ''),
};

export function oneOf<T extends string>(...options: readonly T[]): Kind<T> {
  return {
    expected: `one of ${options.join(', ')}`,
    read: (raw) => options.find((option) => option === textOf(raw)),
  };
}

/** A list without repeats; the set keeps the order of `options`, so that equal sets print and hash alike. */
export function setOf<T extends string>(options: readonly T[]): Kind<ReadonlySet<T>> {
  const member = oneOf(...options);
  return {
    expected: `a list, each once, of ${options.join(', ')}`,
    read: (raw) => {
      const values = raw.kind === 'list' ? readAll(raw.items, member.read) : undefined;
      if (values === undefined || new Set(values).size < values.length) return undefined;
      return new Set(options.filter((option) => values.includes(option)));
    },
  };
}

export function wholeNumber(least: number, most: number): Kind<number> {
  return {
    expected: `a whole number from ${least} to ${most}`,
    read: (raw) => {
      const text = plainOf(raw);
      if (text === undefined || !/^(0|[1-9]\d{0,8})$/.test(text)) return undefined;
      const value = Number(text);
      return value < least || value > most ? undefined : value;
    },
  };
}

/** Either of two numbers, as the type of exactly these. */
export function eitherNumber<const A extends number, const B extends number>(first: A, second: B): Kind<A | B> {
  return {
    expected: `${first} or ${second}`,
    read: (raw) => [first, second].find((option) => String(option) === plainOf(raw)),
  };
}

/** An amount up to 99999999999999.99, numeric(16,2); a sign, an exponent or a leading zero is a slip in a policy and refused. */
export const YUAN: Kind<Money> = {
  expected: 'an amount of yuan with at most 2 decimals',
  read: (raw) => {
    const text = textOf(raw);
    return text !== undefined && /^(0|[1-9]\d{0,13})(\.\d{1,2})?$/.test(text) ? money(text) : undefined;
  },
};

export function orNull<T>(kind: Kind<T>): Kind<T | null> {
  return {
    expected: `${kind.expected}, or null`,
    read: (raw) => (['null', '~', ''].includes(plainOf(raw) ?? '-') ? null : kind.read(raw)),
  };
}

const DAY_OF_MONTH = wholeNumber(1, 28);

/** No 29 to 31: every month must have the day. `LAST` is the month's last. */
export const DUE_DAY: Kind<number | 'LAST'> = {
  expected: `${DAY_OF_MONTH.expected}, or LAST`,
  read: (raw) => (textOf(raw) === 'LAST' ? 'LAST' : DAY_OF_MONTH.read(raw)),
};

/** Insurance year to the amounts that may be charged for it. A listed year has at least one, else nobody could pay it. */
export const YEARLY_TIERS: Kind<ReadonlyMap<number, readonly Money[]>> = {
  expected: 'a map from a year to a list of at least one amount of yuan with at most 2 decimals',
  read: (raw) => {
    if (raw.kind !== 'map') return undefined;
    const tiers = new Map<number, readonly Money[]>();
    for (const [year, list] of [...raw.entries].sort(([left], [right]) => (left < right ? -1 : 1))) {
      const amounts = list.kind === 'list' ? readAll(list.items, YUAN.read) : undefined;
      if (!/^[12]\d{3}$/.test(year) || amounts === undefined || amounts.length === 0) return undefined;
      tiers.set(Number(year), amounts);
    }
    return tiers;
  },
};

export const DATE: Kind<CalendarDate> = {
  expected: 'a date YYYY-MM-DD',
  read: (raw) => parseDate(textOf(raw) ?? '') ?? undefined,
};

function matching(pattern: RegExp, expected: string): Kind<string> {
  return { expected, read: (raw) => textOf(raw)?.match(pattern)?.[0] };
}

export const TEMPLATE = matching(/^T[0-9A-Z]{1,15}$/, 'the name of a template, such as T6000');
export const REGION = matching(/^(\d{6}|T[0-9A-Z]{1,15})$/, '6 digits, or the name of a template, such as T6000');
