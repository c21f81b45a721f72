import { judgeBooks } from './books.ts';
import { digestOf, type Evidence } from './evidence.ts';
import { compareLists, fieldsOf, type Input, type Problem } from './problems.ts';
import type { LogRecord } from './reader.ts';
import type { Meaning, Sent } from './script.ts';

/**
 * Judges a run that has come to rest, from what was sent, what Kafka's own client reads and what the database holds. It shares no code
 * with the product: what must come out is derived anew from the input topics' logs. No problem = the run was right.
 */
export function judge(evidence: Evidence): Problem[] {
  const inputs = readInputs(evidence);
  return [
    ...inputs.problems,
    ...judgeOutcomes(evidence, inputs.list),
    ...judgeDeadLetters(evidence, inputs.list),
    ...judgeSwitches(evidence, inputs.list),
    ...judgeSequences(evidence),
    ...judgeStored(evidence),
    ...judgeRest(evidence),
    ...judgeBooks(evidence, inputs.list),
  ];
}

/** What makes a message the one that was sent. */
const markOf = (topic: string, type: string, key: string | null, value: string | null): string =>
  digestOf([topic, type, key, value].join('\n'));

function readInputs({ sent, records }: Evidence): { list: Input[]; problems: Problem[] } {
  const meanings = new Map<string, Sent>();
  for (const each of sent) meanings.set(markOf(each.topic, each.type, each.key, each.value), each);
  const seen = new Set<string>();
  const problems: Problem[] = [];
  const list: Input[] = [];
  for (const record of records) {
    if (record.topic !== 'claims' && record.topic !== 'members') continue;
    const mark = markOf(record.topic, record.headers.ce_type ?? '', record.key, record.value);
    const meaning = meanings.get(mark)?.meaning;
    if (meaning === undefined) problems.push({ kind: 'altered', what: `${place(record)} holds what nobody sent` });
    else list.push({ record, meaning, isRepeat: meaning.kind !== 'bad' && seen.has(mark) });
    seen.add(mark);
  }
  for (const [mark, { topic, meaning }] of meanings)
    if (!seen.has(mark)) {
      const about = topic === 'claims' ? idOf(meaning) : undefined;
      problems.push({ kind: 'lost', what: `the ${meaning.kind} sent to ${topic} is not in its log`, about });
    }
  return { list, problems };
}

const place = ({ topic, partition, offset }: LogRecord): string => `${topic}/${partition}@${offset}`;

/** Every claim and refund has one outcome, and every rejected claim one rejection, in the order of their partition's log. */
function judgeOutcomes({ records, setAside }: Evidence, inputs: readonly Input[]): Problem[] {
  const expected = inputs.flatMap(({ record, meaning, isRepeat }): Told[] => {
    const { partition, key } = record;
    if (record.topic !== 'claims' || isRepeat) return [];
    if (meaning.kind === 'bad')
      return meaning.rejects === null ? [] : [{ partition, key, what: `rejection ${meaning.rejects} ${meaning.code}` }];
    return [{ partition, key, what: `${meaning.kind} ${idOf(meaning)}` }];
  });
  const published = records.flatMap((record): Told[] => {
    if (record.topic !== 'settlements') return [];
    const { partition, key } = record;
    const { status, code, claim_id, refund_id } = fieldsOf(record);
    if (status === 'REJECTED') return [{ partition, key, what: `rejection ${claim_id} ${code}` }];
    return [{ partition, key, what: refund_id === undefined ? `claim ${claim_id}` : `refund ${refund_id}` }];
  });
  // "claim X", "refund X", "rejection X CODE"
  return compareTold('settlements', { expected, published, setAside }, (what) => what.split(' ')[1]);
}

const idOf = (meaning: Meaning): string | undefined => ('id' in meaning ? meaning.id : undefined);

/** Every bad message has one dead letter with its bytes; those of the members come after all partitions of the claims. */
function judgeDeadLetters({ records, partitions, setAside }: Evidence, inputs: readonly Input[]): Problem[] {
  const expected = inputs.flatMap(({ record, meaning }): Told[] => {
    if (meaning.kind !== 'bad') return [];
    const partition = record.topic === 'claims' ? record.partition : partitions + record.partition;
    return [{ partition, key: record.key, what: `${place(record)} ${meaning.code} ${record.key} ${record.value}` }];
  });
  const published = records.flatMap((record): Told[] => {
    if (record.topic !== 'dead-letters') return [];
    const { headers, key, value, partition } = record;
    const origin = headers['gongji-topic']?.includes('.claims.') ? 'claims' : 'members';
    const from = `${origin}/${headers['gongji-partition']}@${headers['gongji-offset']}`;
    return [{ partition, key, what: `${from} ${headers['gongji-code']} ${key} ${value}` }];
  });
  return compareTold('dead-letters', { expected, published, setAside });
}

/** Faults set patients aside, on the claims; who is told of a payer's switch does not wait for it. */
const NOBODY: ReadonlySet<string> = new Set();

/** Every use of a payer's own switch is told once, in order. What balances imply is judged with the books. */
function judgeSwitches({ records }: Evidence, inputs: readonly Input[]): Problem[] {
  const told = ({ partition, key }: LogRecord, kind: string, bindingId: unknown, at: string): Told => ({
    partition,
    key,
    what: `${kind} ${bindingId} at ${Date.parse(at)}`,
  });
  const expected = inputs.flatMap(({ record, meaning, isRepeat }): Told[] =>
    meaning.kind === 'switch' && !isRepeat
      ? [told(record, meaning.paused ? 'paused' : 'resumed', meaning.bindingId, String(fieldsOf(record).at))]
      : [],
  );
  const published = records.flatMap((record): Told[] => {
    if (record.topic !== 'sharing') return [];
    const { reason, binding_id } = fieldsOf(record);
    if (reason === 'ZERO_BALANCE') return [];
    const kind = record.headers.ce_type?.replace('sharing.', '') ?? '';
    return [told(record, reason === 'USER' ? kind : `${kind} ${reason}`, binding_id, record.headers.ce_time ?? '')];
  });
  return compareTold('sharing', { expected, published, setAside: NOBODY });
}

interface Told {
  readonly partition: number;
  readonly key: string | null;
  readonly what: string;
}

/** Each exactly once, on its partition; and then, in one order. What was set aside has an order of its own for each key. */
function compareTold(
  topic: string,
  told: {
    readonly expected: readonly Told[];
    readonly published: readonly Told[];
    readonly setAside: ReadonlySet<string>;
  },
  aboutOf?: (what: string) => string | undefined,
): Problem[] {
  const orders = [...told.setAside];
  const orderOf = ({ partition, key }: Told): string => {
    const order = orders.indexOf(key ?? '');
    return order < 0 ? `${topic}/${partition}` : `${topic}/${partition}, key ${order + 1} that was set aside`;
  };
  const [wanted, found] = [Map.groupBy(told.expected, orderOf), Map.groupBy(told.published, orderOf)];
  const names = (list: readonly Told[] | undefined) => (list ?? []).map(({ what }) => what);
  return [...new Set([...wanted.keys(), ...found.keys()])].flatMap((where) =>
    compareLists(where, names(wanted.get(where)), names(found.get(where)), aboutOf),
  );
}

/** Sequences count from 1 without a gap per output partition, and no id is used twice. */
function judgeSequences({ records }: Evidence): Problem[] {
  const next = new Map<string, number>();
  const ids = new Set<string>();
  const problems: Problem[] = [];
  for (const record of records) {
    const { topic, partition, headers } = record;
    if (topic === 'claims' || topic === 'members') continue;
    const due = next.get(`${topic}/${partition}`) ?? 1;
    const sequence = Number(topic === 'dead-letters' ? headers['gongji-sequence'] : headers.ce_sequence);
    next.set(`${topic}/${partition}`, sequence + 1);
    if (sequence !== due) {
      const kind = sequence < due ? 'duplicated' : 'lost';
      problems.push({ kind, what: `${place(record)} has sequence ${sequence} where ${due} was due` });
    }
    if (topic === 'dead-letters') continue;
    const id = `${topic} ${headers.ce_id}`;
    if (ids.has(id)) problems.push({ kind: 'duplicated', what: `${place(record)} repeats ${id}` });
    ids.add(id);
  }
  return problems;
}

/** Every record is the row stored for it, byte for byte, and every row is published. */
function judgeStored({ records, ledger, partitions }: Evidence): Problem[] {
  const stored = ledger.outcomes.map(({ topic, partition, isDead, destSeq, key, digest }): string => {
    const isClaims = topic === 'claims';
    const to = isDead ? 'dead-letters' : isClaims ? 'settlements' : 'sharing';
    return `${to}/${isDead && !isClaims ? partitions + partition : partition} #${destSeq} ${key} ${digest}`;
  });
  const published = records.flatMap(({ topic, partition, headers, key, value }) => {
    if (topic === 'claims' || topic === 'members') return [];
    const sequence = topic === 'dead-letters' ? headers['gongji-sequence'] : headers.ce_sequence;
    return [`${topic}/${partition} #${sequence} ${key} ${value === null ? null : digestOf(value)}`];
  });
  return compareLists('published against stored', stored.sort(), published.sort());
}

/** Nothing is stuck: all input consumed, all outcomes published, no transaction open, no work left. */
function judgeRest({ ends, ledger }: Evidence): Problem[] {
  const stuck = (what: string): Problem => ({ kind: 'stuck', what });
  const problems: Problem[] = [];
  for (const { topic, partition, stable, high } of ends) {
    if (stable < high) problems.push(stuck(`${topic}/${partition} is readable to ${stable} and written to ${high}`));
    if (topic !== 'claims' && topic !== 'members') continue;
    const shard = ledger.shards.find((each) => each.topic === topic && each.partition === partition);
    if (shard === undefined) problems.push(stuck(`${topic}/${partition} has no shard`));
    else if (shard.nextOffset !== high)
      problems.push(stuck(`${topic}/${partition} is consumed to ${shard.nextOffset} of ${high}`));
    else if (shard.publishedSeq !== shard.outSeq)
      problems.push(stuck(`${topic}/${partition} is published to ${shard.publishedSeq} of ${shard.outSeq}`));
  }
  const written = new Map<string, number>();
  for (const { topic, partition, seq } of ledger.outcomes) {
    const shard = `${topic}/${partition}`;
    const due = (written.get(shard) ?? 0) + 1;
    if (seq !== due) problems.push({ kind: 'lost', what: `${shard} has row ${seq} where ${due} was due` });
    written.set(shard, seq);
  }
  if (ledger.openWork > 0) problems.push(stuck(`${ledger.openWork} pieces of work that postings left are not done`));
  return problems;
}
