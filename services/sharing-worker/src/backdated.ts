import type { EventStamp } from '@repo/contracts';
import {
  type BackdatedReason,
  type CalendarDate,
  type Cause,
  type Draw,
  earlier,
  type FactChange,
  type Instant,
  reachOf,
  reconsider,
  type Standing,
} from '@repo/domain';
import { drawsSince, type LedgerTransaction, type MemberWorld, type NotedReason, writeBackdated } from '@repo/ledger';

/** `since`: the first date on which the change can matter. */
type Change = FactChange & { readonly payer: string; readonly cause: Cause; readonly since: CalendarDate };
/** A reason against a draw after a batch. `isLifted`: it was lifted in the batch, whether noted anew after that or not. */
type Reason = Omit<NotedReason, 'since' | 'cause'> & {
  readonly isLifted: boolean;
  readonly noted: Pick<NotedReason, 'since' | 'cause'> | null;
};

/**
 * Lists for staff the draws, already settled, on which facts that became known late would have had an effect: on their dates the payer
 * would have been passed over. This runs under the payers' locks, so a claim settled before is seen here, and one settled after sees the
 * fact.
 */
export class BackdatedFacts {
  readonly #world: MemberWorld;
  readonly #changes: Change[] = [];

  constructor(world: MemberWorld) {
    this.#world = world;
  }

  /** Applies one event or check of a payer, and remembers the change where it can matter to earlier draws. */
  watch<T>(payer: string, { at, cause }: { readonly at: Instant; readonly cause: Cause }, apply: () => T): T {
    const before = this.#standingOf(payer);
    const result = apply();
    const after = this.#standingOf(payer);
    if (before === null || after === null) return result;
    const change = { before, after, at };
    const since = reachOf(change);
    if (since !== null) this.#changes.push({ ...change, payer, cause, since });
    return result;
  }

  /** Reconsiders the draws that the changes reach back to, change by change, and writes the result. */
  async write(tx: LedgerTransaction): Promise<void> {
    if (this.#changes.length === 0) return;
    const reach = new Map<string, CalendarDate>();
    for (const { payer, since } of this.#changes) reach.set(payer, earlier(since, reach.get(payer) ?? since));
    const found = await drawsSince(
      tx,
      [...reach].map(([payer, since]) => ({ payer, since })),
    );
    const draws = Map.groupBy(
      found.map(({ stamp, ...draw }) => ({ ...draw, at: Date.parse((JSON.parse(stamp) as EventStamp).time) })),
      ({ payer }) => payer,
    );
    const reasons = new Map<string, Reason>();
    for (const change of this.#changes) {
      for (const draw of draws.get(change.payer) ?? []) this.#reconsider(draw, change, reasons);
    }
    const last = [...reasons.values()];
    writeBackdated(tx, {
      noted: last.flatMap(({ noted, ...key }) => (noted === null ? [] : [{ ...key, ...noted }])),
      lifted: last.filter(({ isLifted }) => isLifted),
    });
  }

  /** Where several changes of one batch affect the same draw and reason, the last one counts. */
  #reconsider(draw: Draw & { payer: string; version: bigint }, change: Change, reasons: Map<string, Reason>): void {
    const { payer, version } = draw;
    const { noted, lifted } = reconsider(draw, change, this.#world.policyOf);
    const put = (reason: BackdatedReason, since: CalendarDate | null) => {
      const key = `${version} ${reason} ${payer}`;
      reasons.set(key, {
        ...{ payer, version, reason },
        isLifted: since === null || reasons.get(key)?.isLifted === true,
        noted: since === null ? null : { since, cause: change.cause },
      });
    };
    for (const [reason, since] of noted) put(reason, since);
    for (const reason of lifted) put(reason, null);
  }

  #standingOf(payer: string): Standing | null {
    const { books } = this.#world;
    const person = books.person(payer);
    return person === undefined ? null : { payer: person, bindings: books.bindingsBy(payer) };
  }
}
