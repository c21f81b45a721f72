import {
  addDays,
  applyCrossing,
  applyNewYear,
  type CalendarDate,
  type Cause,
  enforceArrears,
  type Instant,
  startOf,
} from '@repo/domain';
import type { MemberWorld, StoredWork, WorkItem } from '@repo/ledger';
import type { MemberDraft } from './apply-members.ts';

type Work = WorkItem & Partial<Pick<StoredWork, 'workId'>>;

/**
 * Work that settlement postings and the calendar left for payers of one shard, in earlier batches or in this one. A payer's work is done in
 * the order it was left and before any other change of that payer, so that events about a payer are published in the order in which they
 * came about.
 */
export class WorkQueue {
  readonly #byPayer = new Map<string, Work[]>();
  readonly #world: MemberWorld;
  readonly #draft: MemberDraft;

  constructor(stored: readonly StoredWork[], world: MemberWorld, draft: MemberDraft) {
    this.#world = world;
    this.#draft = draft;
    for (const item of stored) this.#listOf(item.payer).push(item);
  }

  /** Queues the day on which a payer's arrears begin to block sharing, for a later event of this batch or for a later batch. */
  leave(payer: string, dueOn: CalendarDate, cause: Cause): void {
    const item = { payer, kind: 'GRACE', dueOn, detail: { cause } } as const;
    this.#listOf(payer).push(item);
    this.#draft.work.add(item);
  }

  /** Does the work that postings left for a payer, in the order it was left. */
  doPostings(payer: string): void {
    this.#do(payer, ({ kind }) => kind === 'BALANCE');
  }

  /**
   * Brings a payer to a date: first the work that postings left, then New Year and ended grace periods, each on its day. Only events move
   * the calendar, this payer's own or an arrears check's; the machine's clock decides nothing.
   */
  catchUp(payer: string, on: CalendarDate, cause: Cause): void {
    this.doPostings(payer);
    for (let day = this.#nextDay(payer); day !== undefined && day <= on; day = this.#nextDay(payer)) {
      this.#draft.tell(applyNewYear(this.#world, payer, addDays(day, -1), cause));
      this.#do(payer, ({ dueOn }) => dueOn === day);
    }
    this.#draft.tell(applyNewYear(this.#world, payer, on, cause));
  }

  #nextDay(payer: string): CalendarDate | undefined {
    return this.#listOf(payer)
      .map(({ dueOn }) => dueOn)
      .sort()[0];
  }

  #do(payer: string, isDue: (item: Work) => boolean): void {
    const { due = [], later = [] } = Object.groupBy(this.#listOf(payer), (item) => (isDue(item) ? 'due' : 'later'));
    this.#byPayer.set(payer, later);
    for (const item of due) {
      if (item.workId === undefined) this.#draft.work.delete(item);
      else this.#draft.workDone.push(item.workId);
      this.#doOne(item);
    }
  }

  #doOne({ kind, payer, dueOn, detail }: Work): void {
    const { cause, at, empty } = detail as { cause: Cause; at: Instant; empty: boolean };
    if (kind === 'BALANCE') {
      this.#draft.tell(applyCrossing(this.#world, payer, empty, { at, cause }));
      return;
    }
    const person = this.#world.books.person(payer);
    if (person === undefined) return;
    const { events, due } = enforceArrears(this.#world, person, { at: startOf(dueOn), cause });
    this.#draft.tell(events);
    // Where the facts have moved the day, this work is queued for the new day.
    for (const moved of due) this.leave(payer, moved.dueOn, cause);
  }

  #listOf(payer: string): Work[] {
    const list = this.#byPayer.get(payer) ?? [];
    this.#byPayer.set(payer, list);
    return list;
  }
}
