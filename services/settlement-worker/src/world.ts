import { type Bad, type DecodedClaims, paidFromOutcome, withRefundOutcome } from '@repo/contracts';
import {
  type Area,
  type Books,
  type CalendarDate,
  dateOf,
  effectiveDailyLimit,
  type Paid,
  type Person,
  type PolicyLookup,
} from '@repo/domain';
import { booksOf, type KnownId, type LedgerTransaction } from '@repo/ledger';
import type { ShardId } from '@repo/messaging';
import type { OutboxTargets } from '@repo/shard-worker';
import { type Parked, parkedFor, parkingRoom } from './parked.ts';

/** A message that could be read. */
export type Good = Exclude<DecodedClaims, Bad>;

/** Everything that the decisions of a transaction look at, as read under the locks. */
export interface World {
  readonly books: Books;
  /** Ids that are taken, each with its content hash; ids taken by this batch are added. */
  readonly taken: Map<string, Buffer>;
  /** For each claim that a refund names, what it has paid less what was refunded. */
  readonly paid: Map<string, Paid>;
  /** By partition. */
  readonly waiting: ReadonlyMap<number, Waiting>;
}

/** The refunds of a shard that came before their claims. */
export interface Waiting {
  /** By the id of the claim they wait for. */
  readonly parked: Map<string, Parked[]>;
  /** How many more refunds may be parked. */
  readonly room: number;
}

/** For a shard that was not read. */
export const NOTHING_WAITS: Waiting = { parked: new Map(), room: 0 };

/** A shard's readable messages. */
export interface Arrived {
  readonly shard: ShardId;
  readonly good: readonly Good[];
}

interface WorldDeps {
  readonly policyOf: PolicyLookup;
  readonly refundWaitMs: number;
  readonly targets: OutboxTargets;
}

/**
 * Reads everything that the decisions of a transaction look at, under the locks of its shards: ids, then payers, then account locks, and
 * only then what these protect. All of it is sent in one go and runs in that order; only where there are refunds must the outcomes of their
 * claims be read first, to know whose accounts to lock.
 */
export async function loadWorld(tx: LedgerTransaction, arrived: readonly Arrived[], deps: WorldDeps): Promise<World> {
  const { policyOf } = deps;
  const good = arrived.flatMap((shard) => shard.good);
  const refunded = refundedBy(good);
  const finding = tx.findIds([
    ...new Set([...good.map(({ identity }) => identity), ...refunded.map((claimId) => `claim:${claimId}`)]),
  ]);
  const settled = refunded.length === 0 ? new Map<string, Paid>() : await loadSettled(tx, refunded, await finding);

  const patients = [...new Set(good.map(({ personNo }) => personNo))];
  const others = [
    ...good.flatMap((message) => (message.kind === 'PREMIUM' ? [message.premium.payer] : [])),
    ...[...settled.values()].flatMap(({ allocation }) => allocation.map(({ account }) => account)),
  ];
  const [known, persons, bindings, refunds, waiting] = await Promise.all([
    finding,
    tx.lockPersons(others, patients),
    tx.bindingsOf({ beneficiaries: patients }),
    tx.refundsOf([...settled.keys()]),
    loadWaiting(tx, arrived, deps),
  ]);
  tx.requireLocked(bindings);
  const emptied = persons.flatMap(({ personNo }) => (tx.accounts.get(personNo)?.isEmptied ? [personNo] : []));
  const books = booksOf(policyOf, { persons, bindings, emptied });
  books.load({ usage: await tx.usageOf(limitedDays(good, books, persons, policyOf)) });
  const taken = new Map([...known].map(([id, { contentHash }]) => [id, contentHash]));
  return { books, taken, paid: lessRefunds(settled, refunds), waiting };
}

const refundedBy = (good: readonly Good[]): string[] =>
  good.flatMap((message) => (message.kind === 'REFUND' ? [message.refund.claimId] : []));

async function loadWaiting(
  tx: LedgerTransaction,
  arrived: readonly Arrived[],
  { refundWaitMs, targets }: WorldDeps,
): Promise<Map<number, Waiting>> {
  const claims = arrived.map(({ shard, good }) => {
    const named = good.filter(({ kind }) => kind !== 'REFUND');
    return { shard, claimIds: named.map(({ identity }) => identity.slice('claim:'.length)) };
  });
  const [found, rooms] = await Promise.all([
    // Also where waiting is switched off now: refunds may still wait from before, and this may be their claim.
    parkedFor(tx, claims, targets),
    Promise.all(
      arrived.map(({ shard, good }) =>
        refundWaitMs > 0 && refundedBy(good).length > 0 ? parkingRoom(tx, shard.partition) : 0,
      ),
    ),
  ]);
  return new Map(
    arrived.map(({ shard }, i) => {
      const parked = new Map<string, Parked[]>();
      for (const refund of found[i] ?? []) park(parked, refund);
      return [shard.partition, { parked, room: rooms[i] ?? 0 }];
    }),
  );
}

/** Adds a refund to those that wait for its claim. */
export function park(parked: Map<string, Parked[]>, refund: Parked): void {
  parked.set(refund.claimId, [...(parked.get(refund.claimId) ?? []), refund]);
}

/**
 * What each of these claims has paid. A claim whose outcome's month was dropped from the archive is unknown, so nothing of it is refunded.
 */
async function loadSettled(
  tx: LedgerTransaction,
  refunded: readonly string[],
  known: ReadonlyMap<string, KnownId>,
): Promise<Map<string, Paid>> {
  const places = [...new Set(refunded)].flatMap((claimId) => {
    const place = known.get(`claim:${claimId}`);
    return place === undefined || place.seq === null ? [] : [{ ...place, claimId, seq: place.seq }];
  });
  const outcomes = await tx.outcomesAt(places);
  const settled = new Map<string, Paid>();
  for (const [i, { claimId }] of places.entries()) {
    const paid = paidFromOutcome(outcomes[i] ?? '{}');
    if (paid !== undefined) settled.set(claimId, paid);
  }
  return settled;
}

/**
 * Subtracts earlier refunds. Where the outcome of one was dropped from the archive, the claim counts as unknown: it might be refunded
 * twice.
 */
function lessRefunds(
  settled: ReadonlyMap<string, Paid>,
  refunds: Awaited<ReturnType<LedgerTransaction['refundsOf']>>,
): Map<string, Paid> {
  const left = new Map(settled);
  for (const { claimId, payload } of refunds) {
    const paid = left.get(claimId);
    if (payload === null) left.delete(claimId);
    else if (paid !== undefined) left.set(claimId, withRefundOutcome(paid, payload));
  }
  return left;
}

/** The days whose usage matters: those of bindings with a daily limit of their own, or of their payer's region on that day. */
function limitedDays(good: readonly Good[], books: Books, persons: readonly Person[], policyOf: PolicyLookup) {
  const claims = good.flatMap((message) => (message.kind === 'CLAIM' ? [message.claim] : []));
  const areas = new Set(persons.map(({ insuredArea }) => insuredArea));
  const limitedOn = new Map<CalendarDate, Set<Area>>();
  for (const on of new Set(claims.map(({ settledAt }) => dateOf(settledAt)))) {
    const limited = [...areas].filter((area) => effectiveDailyLimit({ dailyLimit: null }, policyOf(area, on)) !== null);
    if (limited.length > 0) limitedOn.set(on, new Set(limited));
  }
  const days = new Map<string, { bindingId: string; on: CalendarDate }>();
  for (const { personNo, settledAt } of claims) {
    const on = dateOf(settledAt);
    const limited = limitedOn.get(on);
    for (const { bindingId, dailyLimit, payer } of books.bindingsFor(personNo)) {
      const isLimited = dailyLimit !== null || limited?.has(books.person(payer)?.insuredArea ?? '');
      if (isLimited) days.set(`${on} ${bindingId}`, { bindingId, on });
    }
  }
  return [...days.values()];
}
