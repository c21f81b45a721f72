import { payloadText, type Snapshot } from '@repo/ledger';
import { fen } from './fen.ts';
import {
  type Fields,
  judgePremium,
  judgeRefund,
  judgeSettlement,
  OUTCOME_CHECKS,
  type OutcomeCheck,
  type Posting,
  type RefundedClaim,
} from './judge.ts';
import type { Tally } from './tally.ts';

const EVENTS_PER_PAGE = 2_000;
const ENTRIES_PER_PIECE = 5_000;

const ORPHANS = { 'entry-outcome': 'of a claim, premium or refund: has the event it names' } as const;

/**
 * Compares every claim, premium and refund with its outcome and its entries, in both directions: events and entries are read side by side
 * in the order of the events' ids, so that only a page of each is in memory, and an entry without an event turns up between two events.
 */
export async function auditOutcomes(
  snapshot: Snapshot,
  tally: Tally,
  onEvents: (count: number) => void,
): Promise<void> {
  tally.declare('outcomes', OUTCOME_CHECKS);
  tally.declare('entries', ORPHANS);
  await using entries = new EntryWalk(snapshot, tally);
  let waiting = 0;
  for (const prefix of ['claim:', 'refund:']) {
    for await (const page of pagesOfEvents(snapshot, prefix)) {
      const claims = prefix === 'refund:' ? await refundedClaims(snapshot, page) : new Map<string, never>();
      for (const event of page) {
        judge(event, await entries.upTo(event.event_id), claims, tally);
        if (event.waits) waiting += 1;
      }
      onEvents(page.length);
    }
  }
  await entries.finish();
  if (waiting > 0) tally.notes.push(`${waiting} refunds wait for their claims and are not answered yet`);
}

interface EventRow {
  readonly event_id: string;
  readonly shard_id: number;
  readonly seq: string | null;
  readonly dest: string | null;
  readonly key: Buffer | null;
  readonly payload: Buffer | null;
  /** A refund whose claim has not come yet: it is kept and has no outcome. */
  readonly waits: boolean;
}

/** Parked by the shard that took its id; looked up only where there is no outcome. */
const WAITS = `case when seq is null then exists (
  select from parked_refund join shard using (partition)
  where shard.shard_id = page.shard_id and 'refund:' || refund_id = event_id) else false end`;

/** The events whose ids begin with a prefix, in pages. The database reads the next page while this one is judged. */
async function* pagesOfEvents(snapshot: Snapshot, prefix: string): AsyncGenerator<EventRow[]> {
  // The character after the colon, so that every id with the prefix is below this.
  const end = `${prefix.slice(0, -1)};`;
  const read = (after: string): Promise<EventRow[]> =>
    snapshot.rows<EventRow>(
      `select event_id, shard_id, seq, dest, key, payload, ${WAITS} as waits
       from (select event_id, shard_id, seq, month from event_id where event_id > $1 and event_id < $2
             order by event_id limit ${EVENTS_PER_PAGE}) page
       left join all_outcome using (shard_id, seq, month) order by event_id`,
      [after, end],
    );
  let page = await read(prefix);
  for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
    const next = read(last.event_id);
    // Avoids an unhandled rejection where judging fails and this page is never awaited.
    next.catch(() => undefined);
    yield page;
    page = await next;
  }
}

function judge(event: EventRow, postings: readonly Posting[], claims: Map<string, RefundedClaim>, tally: Tally): void {
  const [, subject, id] = /^(claim|refund):(.*)$/s.exec(event.event_id) ?? [];
  const name = `${subject} ${id}`;
  if (event.waits) {
    tally.expect('refund-entries', postings.length === 0, name);
    return;
  }
  const outcome = fieldsOf(event.payload);
  const kind = kindOf(outcome, subject, id);
  const person = kind === 'PREMIUM' ? outcome?.beneficiary : outcome?.psn_no;
  const isPresent = event.dest === 'R' && kind !== null && event.key?.toString() === person;
  tally.expect('outcome-present', isPresent, name);
  if (outcome === null || kind === null) return;
  const expect = (check: OutcomeCheck, holds: boolean): void => tally.expect(check, holds, name);
  if (kind === 'SETTLEMENT') judgeSettlement(outcome, postings, expect);
  else if (kind === 'PREMIUM') judgePremium(outcome, postings, expect);
  else judgeRefund(outcome, postings, claims.get(event.event_id) ?? NOT_LISTED, expect);
}

const NOT_LISTED: RefundedClaim = { original: undefined, refunds: [], isListed: false };

function kindOf(outcome: Fields | null, subject: string | undefined, id: string | undefined) {
  if (outcome === null) return null;
  if (subject === 'refund') return outcome.refund_id === id ? 'REFUND' : null;
  return outcome.claim_id === id ? 'SETTLEMENT' : outcome.premium_id === id ? 'PREMIUM' : null;
}

/** The JSON object in these bytes; null when they hold none. */
function fieldsOf(payload: Buffer | null): Fields | null {
  try {
    const value: unknown = JSON.parse(payload === null ? '' : payloadText(payload));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
  } catch {
    return null;
  }
}

/** For each refund of a page: the outcome it refunds, and all refunds of the same claim. */
async function refundedClaims(snapshot: Snapshot, page: readonly EventRow[]): Promise<Map<string, RefundedClaim>> {
  const claimOf = new Map(page.map(({ event_id, payload }) => [event_id, String(fieldsOf(payload)?.claim_id)]));
  const ids = [...new Set(claimOf.values())];
  const originals = await snapshot.rows<{ event_id: string; payload: Buffer }>(
    `select event_id, payload from event_id join all_outcome using (shard_id, seq, month) where event_id = any($1::text[])`,
    [ids.map((id) => `claim:${id}`)],
  );
  const listed = await snapshot.rows<{ claim_id: string; shard_id: number; seq: string; payload: Buffer | null }>(
    `select claim_id, shard_id, seq, payload from claim_refund left join all_outcome using (shard_id, seq, month)
     where claim_id = any($1::text[])`,
    [ids],
  );
  const original = new Map(originals.map(({ event_id, payload }) => [event_id, fieldsOf(payload) ?? undefined]));
  const byClaim = Map.groupBy(listed, ({ claim_id }) => claim_id);
  return new Map(
    page.map((event): [string, RefundedClaim] => {
      const claimId = claimOf.get(event.event_id) ?? '';
      const siblings = byClaim.get(claimId) ?? [];
      return [
        event.event_id,
        {
          original: original.get(`claim:${claimId}`),
          refunds: siblings.map(({ payload }) => fieldsOf(payload) ?? {}),
          isListed: siblings.some(({ shard_id, seq }) => shard_id === event.shard_id && seq === event.seq),
        },
      ];
    }),
  );
}

interface EntryRow {
  readonly event_id: string;
  readonly place: string;
  readonly kind: string;
  readonly psn_no: string;
  readonly binding_id: string | null;
  readonly counterpart: string;
  readonly prior_year: string;
  readonly current_year: string;
  readonly held: string;
  readonly balance_after: string;
  readonly on_day: string;
}

const ENTRIES_BY_EVENT = `
  select case kind when 'REFUND' then 'refund:' else 'claim:' end || reference collate "C" as event_id,
    place || ' of ' || stored_in as place,
    kind, psn_no, binding_id, counterpart, prior_year, current_year, held, prior_year_after + current_year_after as balance_after,
    on_day::text
  from all_entry where kind in ('CLAIM', 'PREMIUM', 'REFUND') order by 1`;

/** The entries in the order of their events' ids, taken event by event. */
class EntryWalk implements AsyncDisposable {
  readonly #pieces: AsyncGenerator<EntryRow[]>;
  readonly #tally: Tally;
  #piece: EntryRow[] = [];
  #next = 0;

  constructor(snapshot: Snapshot, tally: Tally) {
    this.#pieces = snapshot.pieces('entries_by_event', ENTRIES_BY_EVENT, ENTRIES_PER_PIECE);
    this.#tally = tally;
  }

  /** The entries of this event. Entries of events before it, which no event asked for, are counted as wrong. */
  async upTo(eventId: string): Promise<Posting[]> {
    const found: Posting[] = [];
    for (;;) {
      const row = this.#piece[this.#next] ?? (await this.#refill());
      const order = row === undefined ? 1 : compareUtf8(row.event_id, eventId);
      if (row === undefined || order > 0) return found;
      this.#next += 1;
      this.#tally.expect('entry-outcome', order === 0, `row ${row.place}`);
      if (order === 0) found.push(toPosting(row));
    }
  }

  /** Counts the remaining entries, which belong to no event, as wrong. */
  async finish(): Promise<void> {
    for (;;) {
      const row = this.#piece[this.#next] ?? (await this.#refill());
      if (row === undefined) return;
      this.#next += 1;
      this.#tally.expect('entry-outcome', false, `row ${row.place}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pieces.return(undefined);
  }

  async #refill(): Promise<EntryRow | undefined> {
    const { value } = await this.#pieces.next();
    this.#piece = value ?? [];
    this.#next = 0;
    return this.#piece[0];
  }
}

/** Compares in the order of collation "C", by the bytes of UTF-8. */
function compareUtf8(left: string, right: string): number {
  if (left === right) return 0;
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

const toPosting = (row: EntryRow): Posting => ({
  kind: row.kind,
  account: row.psn_no,
  bindingId: row.binding_id,
  counterpart: row.counterpart,
  on: row.on_day,
  prior: fen(row.prior_year) ?? 0n,
  current: fen(row.current_year) ?? 0n,
  held: fen(row.held) ?? 0n,
  balanceAfter: fen(row.balance_after) ?? -1n,
});
