import { isDate, isMonth, readInstant } from './dates.ts';
import { numberToFen, toFen } from './fen.ts';
import { FIELDS, type Kind } from './fields.ts';
import type { WireObject } from './types.ts';

/** A JSON number as it was written; amounts are read from this text and never through a binary float. */
class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** An instant as it was written, and its epoch milliseconds. */
export interface Instant {
  readonly text: string;
  readonly ms: number;
}

/** Parses a record's value; null unless it is a JSON object. Numbers keep their source text. */
export function parseValue(value: unknown): WireObject | null {
  let parsed = value;
  if (typeof value === 'string') {
    try {
      parsed = JSON.parse(value, keepNumberText as (key: string, value: unknown) => unknown);
    } catch {
      return null;
    }
  }
  const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  return isObject && !(parsed instanceof NumberText) ? (parsed as WireObject) : null;
}

function keepNumberText(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  return typeof value === 'number' ? new NumberText(context.source ?? String(value)) : value;
}

/** The decoded fields of one event. Each getter throws where the schema promised no such field: that is the auditor's own defect. */
export class Fields {
  readonly all: ReadonlyMap<string, unknown>;

  constructor(all: ReadonlyMap<string, unknown>) {
    this.all = all;
  }

  has(name: string): boolean {
    return this.all.has(name);
  }

  text(name: string): string {
    return this.#get(name, (value) => typeof value === 'string');
  }

  textOr<Other>(name: string, other: Other): string | Other {
    return this.all.get(name) == null ? other : this.text(name);
  }

  flag(name: string): boolean {
    return this.#get(name, (value) => typeof value === 'boolean');
  }

  fen(name: string): bigint {
    return this.#get(name, (value) => typeof value === 'bigint');
  }

  fenOr<Other>(name: string, other: Other): bigint | Other {
    return this.all.get(name) == null ? other : this.fen(name);
  }

  int(name: string): number {
    return this.#get(name, (value) => typeof value === 'number');
  }

  intOr<Other>(name: string, other: Other): number | Other {
    return this.all.get(name) == null ? other : this.int(name);
  }

  list(name: string): readonly string[] {
    return this.#get(name, Array.isArray);
  }

  instant(name: string): Instant {
    return this.#get(name, (value) => typeof value === 'object' && value !== null && 'ms' in value);
  }

  /** The decoded content as one comparable string: same fields, not same bytes. */
  content(): string {
    const entries = [...this.all].sort(([one], [other]) => (one < other ? -1 : 1));
    return JSON.stringify(entries, (_key, value: unknown) => {
      if (typeof value === 'bigint') return `${value} fen`;
      return typeof value === 'object' && value !== null && 'ms' in value ? value.ms : value;
    });
  }

  #get<Value>(name: string, fits: (value: unknown) => boolean): Value {
    const value = this.all.get(name);
    if (!fits(value)) throw new Error(`field ${name} is not what its schema says`);
    return value as Value;
  }
}

/** Decodes an event of a known type by its field list; null where a field is missing or ill-typed. */
export function decode(type: string, value: WireObject): Fields | null {
  const schema = FIELDS[type];
  if (schema === undefined) throw new Error(`no fields are listed for ${type}`);
  const decoded = new Map<string, unknown>();
  for (const [name, kind] of Object.entries(schema.required)) {
    const read = readField(kind, value[name]);
    if (read === null) return null;
    decoded.set(name, read);
  }
  for (const [name, kind] of Object.entries(schema.optional)) {
    const given = value[name];
    if (given === undefined || given === null) {
      if (given === null && schema.clearable?.includes(name)) decoded.set(name, null);
      else if (schema.defaults?.[name] !== undefined) decoded.set(name, schema.defaults[name]);
      continue;
    }
    const read = readField(kind, given);
    if (read === null) return null;
    decoded.set(name, read);
  }
  return new Fields(decoded);
}

function readField(kind: Kind, value: unknown): unknown {
  if (Array.isArray(kind)) return kind.includes(value) ? value : null;
  switch (kind) {
    case 'text':
      return typeof value === 'string' && value !== '' ? value : null;
    case 'area':
      return typeof value === 'string' && /^\d{6}$/.test(value) ? value : null;
    case 'flag':
      return typeof value === 'boolean' ? value : null;
    case 'amount': {
      const fen = readAmount(value);
      return fen === null || fen < 0n ? null : fen;
    }
    case 'judged_amount':
      // Its rule has a code of its own, so an amount that breaks it is kept as written; only another type is malformed.
      return readAmount(value) ?? amountText(value);
    case 'int': {
      const text = numberText(value);
      return text !== null && /^-?\d+$/.test(text) ? Number(text) : null;
    }
    case 'instant': {
      const ms = typeof value === 'string' ? readInstant(value) : null;
      return ms === null ? null : { text: value, ms };
    }
    case 'date':
      return typeof value === 'string' && isDate(value) ? value : null;
    case 'month':
      return typeof value === 'string' && isMonth(value) ? value : null;
    case 'months':
      return Array.isArray(value) && value.every((each) => typeof each === 'string' && isMonth(each)) ? value : null;
    case 'reasons':
      return Array.isArray(value) && value.every((each) => REASONS.includes(each)) ? value : null;
    default:
      throw new Error(`unknown kind ${String(kind)}`);
  }
}

const REASONS: readonly unknown[] = ['ARREARS', 'EMPLOYER_OFF', 'USER', 'ZERO_BALANCE'];

function numberText(value: unknown): string | null {
  if (value instanceof NumberText) return value.text;
  return typeof value === 'number' ? String(value) : null;
}

function amountText(value: unknown): string | null {
  return typeof value === 'string' ? value : numberText(value);
}

function readAmount(value: unknown): bigint | null {
  if (typeof value === 'string') return toFen(value);
  const text = numberText(value);
  return text === null ? null : numberToFen(text);
}
