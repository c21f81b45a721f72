import type { ExpectedOutput, ExpectedRecord } from './auditor/types.ts';

/** One record read (read_committed) from an output topic, in the order of its partition. */
export interface PublishedRecord {
  readonly topic: 'settlements' | 'sharing' | 'dead-letters';
  readonly partition: number;
  readonly key: string | null;
  /** Header names and values as text: `ce_type`, `ce_id`, `ce_sequence`, or `gongji-code`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The record's value as text. */
  readonly value: string;
}

/** One way in which what was published is not what was expected. `subject` names the claim, refund, premium or binding. */
export interface Difference {
  readonly kind: 'missing' | 'extra' | 'duplicate' | 'field' | 'order';
  readonly topic: string;
  readonly key: string | null;
  readonly subject: string;
  readonly path?: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
}

interface Item {
  readonly topic: string;
  readonly key: string | null;
  readonly subject: string;
  /** Comparable content: type (or dead-letter code) and value, or for a dead letter the value's text. */
  readonly content: Readonly<Record<string, unknown>>;
}

interface Wanted extends Item {
  readonly input: number;
  readonly unknowable: readonly string[];
}

interface Found extends Item {
  readonly position: number;
  readonly partition: number;
  readonly id: string | undefined;
}

/**
 * Optional fields which the product publishes beyond those that were agreed on, by the beginning of the type: how an amount was drawn,
 * in which order and by whose rules sources were judged, and the moment of a refund or premium. They are left out of the comparison; readers ignore fields they do not know.
 */
const EXTENSIONS: Readonly<Record<string, readonly string[]>> = {
  'settlement.': [
    'allocation[].portion_order',
    'allocation[].authorised',
    'skipped[].parameter',
    'asked',
    'policy[].payers',
    'nhsa',
  ],
  'refund.': ['at'],
  'premium.': ['at', 'allocation', 'policy'],
};

/** Compares what an auditor expects with what was published, both in order. An empty list means they agree in every field. */
export function compareOutcomes(
  expected: readonly ExpectedOutput[],
  published: readonly PublishedRecord[],
  ignoredPaths: readonly string[] = [],
): Difference[] {
  const wanted = Map.groupBy(
    expected.map((each) => toWanted(each, ignoredPaths)),
    groupKey,
  );
  const found = Map.groupBy(published.map(toFound), groupKey);
  const differences = repeatedIds([...found.values()].flat());
  const repeated = new Set(differences.map((each) => each.actual));
  const matches: (readonly [Wanted, Found])[] = [];
  for (const group of new Set([...wanted.keys(), ...found.keys()])) {
    const actual = (found.get(group) ?? []).filter((each) => !repeated.has(each.position));
    differences.push(...compareGroup(wanted.get(group) ?? [], actual, matches));
  }
  return [...differences, ...compareOrder(matches)];
}

/** Pairs equal ones first, so that only what has no equal is told field by field. */
function compareGroup(wanted: Wanted[], found: Found[], matches: (readonly [Wanted, Found])[]): Difference[] {
  const differences: Difference[] = [];
  const open = [...wanted];
  const unmatched = found.filter((each) => {
    const index = open.findIndex((one) => fieldDifferences(one, each).length === 0);
    const [match] = index < 0 ? [] : open.splice(index, 1);
    if (match !== undefined) matches.push([match, each]);
    return match === undefined;
  });
  for (const each of unmatched) {
    const isRepeat = wanted.some((one) => fieldDifferences(one, each).length === 0);
    const partner = isRepeat ? undefined : open.shift();
    if (partner === undefined) differences.push(difference(isRepeat ? 'duplicate' : 'extra', each));
    else {
      matches.push([partner, each]);
      differences.push(...fieldDifferences(partner, each));
    }
  }
  return [...differences, ...open.map((each) => difference('missing', each))];
}

/** The same id published twice on one topic is a duplicate, whatever it says. */
function repeatedIds(found: readonly Found[]): Difference[] {
  const seen = new Set<string>();
  return found.flatMap((each) => {
    const id = `${each.topic} ${each.id}`;
    if (each.id !== undefined && seen.has(id)) return [{ ...difference('duplicate', each), actual: each.position }];
    seen.add(id);
    return [];
  });
}

/** Outcomes of one key keep the order of that key's inputs; several outcomes of one input may stand in any order. */
function compareOrder(matches: readonly (readonly [Wanted, Found])[]): Difference[] {
  const byKey = Map.groupBy(matches, ([, found]) => `${found.topic} ${found.partition} ${found.key}`);
  return [...byKey.values()].flatMap((pairs) => {
    const inOrder = pairs.toSorted(([, one], [, other]) => one.position - other.position);
    let latest = -1;
    return inOrder.flatMap(([wanted, found]) => {
      const isLate = wanted.input < latest;
      latest = Math.max(latest, wanted.input);
      return isLate ? [{ ...difference('order', found), expected: wanted.input, actual: latest }] : [];
    });
  });
}

function toWanted(output: ExpectedOutput, ignoredPaths: readonly string[]): Wanted {
  const { topic, key, input } = output;
  if (output.topic === 'dead-letters') {
    const content = { code: output.code, value: output.value };
    return { topic, key, input, subject: digest(output.value), content, unknowable: ignoredPaths };
  }
  const { type, value } = output;
  const content = { type, ...value };
  return {
    topic,
    key,
    input,
    subject: subjectOf(output),
    content,
    unknowable: [...output.unknowable, ...extensionsOf(type), ...ignoredPaths],
  };
}

function extensionsOf(type: string): readonly string[] {
  return Object.entries(EXTENSIONS).flatMap(([start, paths]) => (type.startsWith(start) ? paths : []));
}

function toFound(record: PublishedRecord, position: number): Found {
  const { topic, key, partition, headers, value } = record;
  const at = { topic, key, partition, position };
  if (topic === 'dead-letters') {
    return { ...at, subject: digest(value), content: { code: headers['gongji-code'], value }, id: undefined };
  }
  const parsed = JSON.parse(value) as Record<string, unknown>;
  const type = headers.ce_type ?? '';
  return { ...at, subject: subjectOf({ type, value: parsed }), content: { type, ...parsed }, id: headers.ce_id };
}

function subjectOf({ type, value }: Pick<ExpectedRecord, 'type' | 'value'>): string {
  const names = ['refund_id', 'claim_id', 'premium_id', 'binding_id'];
  const name = names.find((each) => value[each] !== undefined && (each !== 'binding_id' || !('premium_id' in value)));
  const reason = type.startsWith('sharing.') ? ` ${String(value.reason)}` : '';
  return name === undefined ? '' : `${name} ${String(value[name])}${reason}`;
}

/** A dead letter is known by its bytes; its report does not repeat them, as they may hold personal data. */
function digest(value: string): string {
  const hash = [...value].reduce((sum, character) => (Math.imul(sum, 31) + (character.codePointAt(0) ?? 0)) | 0, 7);
  return `value ${(hash >>> 0).toString(16)} of ${value.length} characters`;
}

function groupKey(item: Item): string {
  return `${item.topic} ${item.key} ${item.subject}`;
}

function difference(kind: Difference['kind'], { topic, key, subject }: Item): Difference {
  return { kind, topic, key, subject };
}

const INSTANTS = ['setl_time', 'at'];

function fieldDifferences(wanted: Wanted, found: Found): Difference[] {
  const leaves = (item: Item) =>
    new Map(flatten(item.content, '').filter(([path]) => isCompared(path, wanted.unknowable)));
  const [expected, actual] = [leaves(wanted), leaves(found)];
  const differences: Difference[] = [];
  for (const path of new Set([...expected.keys(), ...actual.keys()])) {
    const [one, other] = [expected.get(path), actual.get(path)];
    const isSameInstant = INSTANTS.includes(path) && Date.parse(String(one)) === Date.parse(String(other));
    if (one === other || isSameInstant) continue;
    differences.push({ ...difference('field', wanted), path, expected: one, actual: other });
  }
  return differences;
}

/** Every scalar of a value with its path; an empty list or object counts as one. */
function flatten(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  if (entries.length === 0) return [[path, Array.isArray(value) ? '[]' : '{}']];
  return entries.flatMap(([name, each]) => {
    const inner = Array.isArray(value) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`;
    return flatten(each, inner);
  });
}

/** A path is left out with everything below it; `[]` stands for any position of a list. */
function isCompared(path: string, unknowable: readonly string[]): boolean {
  const general = path.replaceAll(/\[\d+\]/g, '[]');
  return !unknowable.some((each) =>
    [general, path].some((one) => one === each || one.startsWith(`${each}.`) || one.startsWith(`${each}[`)),
  );
}
