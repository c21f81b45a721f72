import { type Topics, topicsOf } from '@repo/contracts';
import { Snapshot } from '@repo/ledger';
import type { Envelopes } from '@repo/sealing';
import type { KafkaAccess } from '@repo/transport';
import { type Area, pagesOfPersons, runArea } from './area.ts';
import {
  ACCOUNTS,
  BINDING_DAYS,
  BINDINGS,
  CREDITS,
  DAYS,
  ENTRIES,
  HELD_REFUNDS,
  LISTED_REFUNDS,
  OPENINGS,
  SHARDS,
  unclaimedResults,
} from './books.ts';
import { writtenBy } from './outbox-stream.ts';
import { auditOutcomes } from './outcomes.ts';
import { type Part, Progress } from './progress.ts';
import { auditPublished } from './published.ts';
import { type Check, sentences, Tally } from './tally.ts';

export interface AuditOptions {
  /** URL of a user who is `gongji_reader`, or a member of it. */
  readonly databaseUrl: string;
  /** Null: Kafka is not compared. */
  readonly brokers: readonly string[] | null;
  readonly kafkaAccess?: KafkaAccess;
  readonly topicPrefix: string;
  /** The keys that open sealed dead letters; without them those count as not compared. */
  readonly envelopes?: Envelopes | null;
  /** Called with the share that is done, 0 to 1, and what is being compared. */
  readonly onProgress?: (share: number, doing: Part) => void;
  /** After how long without a record, ms, one that must have been published counts as missing. Default 15 s. */
  readonly stalledMs?: number;
}

export interface AuditReport {
  /** There is no difference at all. */
  readonly clean: boolean;
  /** A sentence for each subject that holds, for each check that does not, and for each note. */
  readonly findings: readonly string[];
  readonly checks: readonly Check[];
  /** Worth knowing, but no difference. */
  readonly notes: readonly string[];
}

/** There is a database, but not of the named system. The message is for the person at the terminal. */
export class NothingToAudit extends Error {
  override readonly name = 'NothingToAudit';
}

/**
 * Checks the books from outside: accounts against entries, entries against outcomes, outcomes against Kafka, with none of the code that
 * wrote them. Compares one snapshot of the database, so the system may keep running. Rejects when it cannot read.
 */
export async function audit(options: AuditOptions): Promise<AuditReport> {
  const { databaseUrl, brokers, kafkaAccess = {}, topicPrefix, onProgress = () => undefined, stalledMs } = options;
  const { envelopes = null } = options;
  await using snapshot = await Snapshot.open(databaseUrl);
  const tally = new Tally();
  const topics = topicsOf(topicPrefix);
  await requireTopics(snapshot, topics);
  const progress = await Progress.of(snapshot, { hasKafka: brokers !== null, tell: onProgress });
  progress.begin('accounts');
  await auditPages(snapshot, tally, progress);
  progress.begin('outcomes');
  await auditOutcomes(snapshot, tally, (count) => progress.add(count));
  progress.begin('sums');
  const rest = [
    OPENINGS,
    CREDITS,
    unclaimedResults(topics.claims),
    LISTED_REFUNDS,
    BINDINGS,
    BINDING_DAYS,
    HELD_REFUNDS,
    SHARDS,
    DAYS,
  ];
  for (const area of rest) {
    declare(tally, area);
    await runArea(snapshot, tally, area);
  }
  await excuseChangedLimits(snapshot, tally);
  await excuseUnnotedChanges(snapshot, tally);
  await noteHeld(snapshot, tally);
  if (brokers !== null) {
    progress.begin('records');
    const writtenNow = async () => {
      await using now = await Snapshot.open(databaseUrl);
      return await writtenBy(now);
    };
    const onRecords = (count: number): void => progress.add(count);
    const topicsToRead = { brokers, kafkaAccess, topics, envelopes, stalledMs };
    await auditPublished({ snapshot, tally, ...topicsToRead, writtenNow, onRecords });
  }
  progress.end();
  const checks = tally.checks();
  const clean = checks.every(({ wrong }) => wrong === 0);
  return { clean, findings: sentences(checks, tally.notes), checks, notes: tally.notes };
}

/** With a prefix that is not this database's, no published record would be compared and all would seem well. */
async function requireTopics(snapshot: Snapshot, { claims, members }: Topics): Promise<void> {
  const shards = await snapshot.rows<{ topic: string }>(`select distinct topic from shard order by topic`);
  if (shards.every(({ topic }) => topic === claims || topic === members)) return;
  const found = shards.map(({ topic }) => topic).join(', ');
  throw new NothingToAudit(`this database is of the topics ${found}, not of ${claims}: set GONGJI_TOPIC_PREFIX`);
}

const declare = (tally: Tally, { subject, checks }: Area): void => tally.declare(subject, checks);

async function auditPages(snapshot: Snapshot, tally: Tally, progress: Progress): Promise<void> {
  declare(tally, ACCOUNTS);
  declare(tally, ENTRIES);
  for await (const page of pagesOfPersons(snapshot)) {
    progress.add(await runArea(snapshot, tally, ACCOUNTS, page));
    await runArea(snapshot, tally, ENTRIES, page);
  }
}

/** A limit may have been lowered after it was used, but only where a binding was ever changed. */
async function excuseChangedLimits(snapshot: Snapshot, tally: Tally): Promise<void> {
  const changes = await snapshot.rows(
    `select from event_id where event_id > 'binding.changed:' and event_id < 'binding.changed;' limit 1`,
  );
  if (changes.length === 0) return;
  tally.excuse('usage-limit', (count) => `${count} days of bindings are over a limit that may have been lowered later`);
}

/**
 * An older worker changes a binding without recording it, so between two recorded changes of any binding there may be an unrecorded one.
 */
async function excuseUnnotedChanges(snapshot: Snapshot, tally: Tally): Promise<void> {
  const prefix = 'binding.changed:';
  const changes = await snapshot.rows(
    `select from event_id where event_id > '${prefix}' and event_id < 'binding.changed;'
       and not exists (select from binding_change where change_id = substr(event_id, ${prefix.length + 1})) limit 1`,
  );
  if (changes.length === 0) return;
  tally.excuse(
    'binding-authorised',
    (count) => `${count} bindings have another authorised amount than is noted, and some changes were not noted`,
  );
}

/** Messages in quarantine are inputs that were taken but not answered, so none of their outcomes is missing. */
async function noteHeld(snapshot: Snapshot, tally: Tally): Promise<void> {
  const [row] = await snapshot.rows<{ messages: string; keys: string }>(
    `select count(*) filter (where log_offset >= 0) as messages, count(distinct (topic, partition, key)) as keys from quarantined_message`,
  );
  if (row === undefined || row.keys === '0') return;
  tally.notes.push(`${row.messages} messages of ${row.keys} keys are held in quarantine and not answered`);
}
