import { createHash } from 'node:crypto';
import { readStored, type ViewedOutcome } from '@repo/ledger';
import { Envelopes, type Place as MessagePlace } from '@repo/sealing';
import { Client } from 'pg';
import { type LogEnd, type LogRecord, readLog } from './reader.ts';
import type { Sent } from './script.ts';

export type TopicName = 'claims' | 'members' | 'settlements' | 'sharing' | 'dead-letters';

/** Everything a verdict looks at: what was sent, what Kafka's own client reads, and what the database holds. */
export interface Evidence {
  /** Messages the broker acknowledged, in the order of sending; how often each is in the log is the log's to say. */
  readonly sent: readonly Sent[];
  readonly partitions: number;
  /** Of all five topics, in the order of their partitions' logs. */
  readonly records: readonly LogRecord<TopicName>[];
  readonly ends: readonly LogEnd<TopicName>[];
  readonly ledger: Ledger;
  /** Keys whose messages were set aside for a while: their outcomes come later than their places in the log, still in their own order. */
  readonly setAside: ReadonlySet<string>;
}

export interface Ledger {
  readonly shards: readonly {
    readonly topic: TopicName;
    readonly partition: number;
    readonly nextOffset: number;
    readonly outSeq: number;
    readonly publishedSeq: number;
  }[];
  /** In the order of their shard's sequence. */
  readonly outcomes: readonly {
    readonly topic: TopicName;
    readonly partition: number;
    readonly seq: number;
    readonly isDead: boolean;
    readonly destSeq: number;
    readonly key: string | null;
    /** `digestOf` the value: the million outcomes of a burst are held once, as published. */
    readonly digest: string | null;
  }[];
  readonly accounts: readonly {
    readonly account: string;
    readonly version: number;
    readonly priorYear: string;
    readonly currentYear: string;
    readonly held: string;
    readonly credits: string;
    readonly debits: string;
  }[];
  /** In the order of their account's versions. */
  readonly entries: readonly {
    readonly account: string;
    readonly version: number;
    readonly kind: string;
    readonly reference: string;
    readonly priorYear: string;
    readonly currentYear: string;
    readonly held: string;
    readonly priorYearAfter: string;
    readonly currentYearAfter: string;
  }[];
  readonly bindings: readonly {
    readonly bindingId: string;
    readonly payer: string;
    readonly pausedForZeroBalance: boolean;
  }[];
  /** Work that postings left and nobody has done. */
  readonly openWork: number;
}

export interface Place {
  readonly kafka: string;
  readonly postgresUrl: string;
  readonly prefix: string;
  readonly partitions: number;
  /** Of the keys that dead letters are sealed with. */
  readonly envelopeKeyFile: string;
}

const TOPICS: readonly TopicName[] = ['claims', 'members', 'settlements', 'sharing', 'dead-letters'];

/** SHA-256 of a text as UTF-8, in hexadecimal. */
export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The five topics' full names, and back. */
export const fullName = (prefix: string, topic: TopicName): string => `${prefix}.${topic}.v1`;

/** Reads everything, once no more input comes. */
export async function collectEvidence(
  place: Place,
  sent: readonly Sent[],
  setAside: ReadonlySet<string>,
): Promise<Evidence> {
  const names = new Map(TOPICS.map((topic) => [fullName(place.prefix, topic), topic]));
  const { records, ends } = await readLog(place.kafka, names);
  return { sent, partitions: place.partitions, records, ends, ledger: await readLedger(place), setAside };
}

/** How many outcomes are read at once. */
const PIECE = 5_000;

type Stored = ViewedOutcome<Buffer | null>;

/** `digestOf` what was published: of a dead letter, what it was before it was sealed. */
function digestOfStored(stored: Stored, envelopes: Envelopes): string | null {
  const { stamp, payload } = readStored(stored);
  const { note, sealed: bytes } = JSON.parse(stamp) as { note?: MessagePlace; sealed?: number };
  const value =
    note === undefined || bytes === undefined
      ? payload
      : envelopes.open(note, { sealed: payload ?? Buffer.alloc(0), bytes }).value;
  return value === null ? null : createHash('sha256').update(value).digest('hex');
}

/** One consistent look at the database. Numbers stay text: a fen must not get lost in a float. */
async function readLedger({ postgresUrl, prefix, envelopeKeyFile }: Place): Promise<Ledger> {
  const envelopes = Envelopes.read(envelopeKeyFile);
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    const rows = async <Row>(sql: string): Promise<Row[]> => (await client.query(sql)).rows as Row[];
    const topicOf = (full: string) => TOPICS.find((topic) => fullName(prefix, topic) === full) ?? 'claims';
    type Raw<Row> = Row & { readonly topic: string };
    const shards = await rows<Raw<Ledger['shards'][number]>>(
      `select topic, partition, next_offset::int as "nextOffset", out_seq::int as "outSeq",
         published_seq::int as "publishedSeq" from shard`,
    );
    const outcomes: Ledger['outcomes'][number][] = [];
    await client.query(`declare outcomes no scroll cursor for
      select topic, partition, seq::int, dest = 'D' as "isDead", dest_seq::int as "destSeq",
        convert_from(key, 'UTF8') as key, stamp, payload
      from all_outcome join shard using (shard_id) order by shard_id, seq`);
    for (;;) {
      const piece = await rows<Raw<Omit<Ledger['outcomes'][number], 'digest'>> & Stored>(
        `fetch ${PIECE} from outcomes`,
      );
      if (piece.length === 0) break;
      for (const { topic, stamp, payload, ...row } of piece)
        outcomes.push({ ...row, topic: topicOf(topic), digest: digestOfStored({ stamp, payload }, envelopes) });
    }
    return {
      shards: shards.map((row) => ({ ...row, topic: topicOf(row.topic) })),
      outcomes,
      accounts: await rows(
        `select psn_no as account, version::int, prior_year as "priorYear", current_year as "currentYear", held,
           credits::numeric(20,2), debits::numeric(20,2) from account`,
      ),
      entries: await rows(
        `select psn_no as account, version::int, kind, reference, prior_year as "priorYear", current_year as "currentYear",
           held, prior_year_after as "priorYearAfter", current_year_after as "currentYearAfter"
         from entry order by psn_no, entry.version`,
      ),
      bindings: await rows(
        `select binding_id as "bindingId", payer, held_zero_balance is not null as "pausedForZeroBalance" from binding`,
      ),
      openWork:
        (await rows<{ count: number }>(`select count(*)::int as count from shard_work where kind = 'BALANCE'`))[0]
          ?.count ?? 0,
    };
  } finally {
    await client.end();
  }
}
