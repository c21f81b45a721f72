import {
  type Bad,
  type DecodedClaims,
  type DecodeLimits,
  decodeClaims,
  encodePremium,
  encodeRefund,
  encodeSettlement,
  traceparentOf,
  withNhsa,
} from '@repo/contracts';
import {
  add,
  afterRefund,
  applyPremium,
  applyRefund,
  applySettlement,
  decideClaim,
  decidePremium,
  decideRefund,
  type Policy,
  type PolicyLookup,
  paidByClaim,
  paidByPremium,
  type Refund,
  type Settlement,
  ZERO,
} from '@repo/domain';
import type { BookWrites, EventId, OutcomeRow } from '@repo/ledger';
import type { InputRecord, ShardId } from '@repo/messaging';
import { badRows, contentHash, resultRow } from '@repo/shard-worker';
import type { Parked } from './parked.ts';
import { settlementIdOf } from './settlement-id.ts';
import { type Good, NOTHING_WAITS, park, type Waiting, type World } from './world.ts';

export interface DecideDeps {
  readonly policyOf: PolicyLookup;
  readonly limits: DecodeLimits;
  /** How long a refund waits for its claim, ms; 0 = it is answered at once. */
  readonly refundWaitMs: number;
  /** Whether a claim's outcome also carries its rendering in the national form. Default: no. */
  readonly nhsaOutput?: boolean;
}

/** What became of one message, for metrics. */
export interface Observed {
  readonly status: 'SETTLED' | 'REFUSED' | 'REJECTED' | 'REFUNDED' | 'REPEATED';
  readonly code: string | null;
  readonly skips: readonly string[];
}

/** A message and what the decoder made of it. */
export interface Message {
  readonly record: InputRecord;
  readonly decoded: DecodedClaims;
  readonly contentHash: Buffer | null;
  readonly traceparent: string | undefined;
}

export function decode(record: InputRecord, limits: DecodeLimits): Message {
  const decoded = decodeClaims(record, limits);
  return {
    record,
    decoded,
    contentHash: decoded.kind === 'BAD' ? null : contentHash(decoded.content),
    traceparent: traceparentOf(record),
  };
}

/** What the batch will write, built up message by message. */
export class Draft {
  readonly outcomes: OutcomeRow[] = [];
  readonly ids: EventId[] = [];
  /** Refunds that had waited; their ids were taken when they came. */
  readonly answered: { id: string; outcome: number }[] = [];
  readonly refunds: { claimId: string; outcome: number }[] = [];
  readonly held: NonNullable<BookWrites['held']>[number][] = [];
  readonly parked: Parked[] = [];
  readonly unparked: string[] = [];

  answer(
    identity: string,
    { contentHash, record: { offset } }: Pick<Message, 'contentHash' | 'record'>,
    row: OutcomeRow,
  ) {
    const outcome = this.outcomes.push(row) - 1;
    if (contentHash === null) this.answered.push({ id: identity, outcome });
    else this.ids.push({ id: identity, contentHash, outcome, offset });
    return outcome;
  }
}

/**
 * Decides a shard's messages in the order of the log, each seeing the effects of the one before. Answers what to write, and which refunds
 * begin or cease to wait.
 */
export function decideAll(
  shard: ShardId,
  messages: readonly Message[],
  world: World,
  deps: DecideDeps,
  seen: Observed[],
): { draft: Draft; waiting: { parked: readonly Parked[]; answered: readonly string[] } } {
  const draft = new Draft();
  const { taken } = world;
  const { parked, room } = world.waiting.get(shard.partition) ?? NOTHING_WAITS;
  for (const message of messages) {
    const { decoded, record } = message;
    if (decoded.kind === 'BAD') {
      draft.outcomes.push(...badRows(shard, record, decoded));
      seen.push({ status: 'REJECTED', code: decoded.code, skips: [] });
      continue;
    }
    const before = taken.get(decoded.identity);
    if (before !== undefined) {
      seen.push(repeated(shard, message, decoded, before, draft));
      continue;
    }
    if (message.contentHash !== null) taken.set(decoded.identity, message.contentHash);
    const isRoom = draft.parked.length < room;
    if (decoded.kind === 'REFUND' && isRoom && mustWait(decoded.refund, taken, deps)) {
      const refund = { refundId: decoded.refund.refundId, claimId: decoded.refund.claimId, record };
      park(parked, refund);
      draft.parked.push(refund);
      if (message.contentHash !== null)
        draft.ids.push({
          ...{ id: decoded.identity, contentHash: message.contentHash },
          ...{ outcome: null, offset: record.offset },
        });
      continue;
    }
    seen.push(decideOne(message, decoded, world, deps, draft));
    if (decoded.kind !== 'REFUND')
      seen.push(...answerParked(decoded.identity.slice('claim:'.length), parked, world, deps, draft));
  }
  const answered = new Set(draft.unparked);
  const waiting = {
    parked: draft.parked.filter(({ refundId }) => !answered.has(refundId)),
    answered: draft.unparked.filter((refundId) => !draft.parked.some((refund) => refund.refundId === refundId)),
  };
  return { draft, waiting };
}

/** Where waiting is switched on, a refund waits for a claim that is not known yet. One with an invalid amount is answered at once. */
const mustWait = (refund: Refund, taken: ReadonlyMap<string, Buffer>, { refundWaitMs }: DecideDeps): boolean =>
  refundWaitMs > 0 && refund.amount !== 'INVALID' && !taken.has(`claim:${refund.claimId}`);

/** A message that was accepted once must stay readable, however the limits have changed since. */
const TAKEN: DecodeLimits = { valueBytesMax: Number.POSITIVE_INFINITY, futureDaysMax: Number.POSITIVE_INFINITY };

/**
 * Decides the refunds that waited for a claim, in the order in which they came. Their ids were taken then. Throws where one can no longer
 * be read, so that somebody looks into it and it is not lost.
 */
export function answerParked(
  claimId: string,
  parked: Waiting['parked'],
  world: World,
  deps: DecideDeps,
  draft: Draft,
): Observed[] {
  const waiting = parked.get(claimId) ?? [];
  parked.delete(claimId);
  return waiting.flatMap(({ refundId, record }) => {
    const message = decode(record, TAKEN);
    draft.unparked.push(refundId);
    if (message.decoded.kind === 'BAD') throw new Error('a refund that waited cannot be read any more');
    return [decideOne({ ...message, contentHash: null }, message.decoded, world, deps, draft)];
  });
}

/** For an id seen before: the same content changes nothing and publishes nothing; other content is a conflict and takes no id. */
function repeated(shard: ShardId, message: Message, decoded: Good, before: Buffer, draft: Draft): Observed {
  if (message.contentHash !== null && before.equals(message.contentHash)) {
    return { status: 'REPEATED', code: null, skips: [] };
  }
  const issues = [{ path: '', problem: 'this id was seen before with other content' }];
  const code = decoded.kind === 'CLAIM' ? 'CLAIM_DUPLICATE_CONFLICT' : 'EVENT_CONFLICT';
  const claimId = decoded.kind === 'CLAIM' ? decoded.claim.claimId : null;
  const bad: Bad = { kind: 'BAD', code, issues, claimId, personNo: decoded.personNo };
  draft.outcomes.push(...badRows(shard, message.record, bad));
  return { status: 'REJECTED', code, skips: [] };
}

function decideOne(
  message: Message,
  decoded: Good,
  { books, paid }: World,
  { policyOf, nhsaOutput = false }: DecideDeps,
  draft: Draft,
): Observed {
  const { traceparent } = message;
  switch (decoded.kind) {
    case 'CLAIM': {
      const { claim } = decoded;
      const settlement = decideClaim(claim, books, policyOf);
      applySettlement(claim, settlement, books);
      if (settlement.status === 'SETTLED') paid.set(claim.claimId, paidByClaim(claim, settlement));
      const outgoing = encodeSettlement(claim, settlement, settlementIdOf(claim.claimId), traceparent);
      const published = nhsaOutput ? withNhsa(outgoing, patientsRules(settlement, policyOf)) : outgoing;
      draft.answer(decoded.identity, message, resultRow(published));
      return { status: settlement.status, code: settlement.code, skips: settlement.skipped.map(({ code }) => code) };
    }
    case 'REFUND': {
      const { refund } = decoded;
      const original = paid.get(refund.claimId);
      const decision = decideRefund(refund, original, books);
      const outcome = draft.answer(decoded.identity, message, resultRow(encodeRefund(refund, decision, traceparent)));
      if (original !== undefined && decision.status === 'REFUNDED') {
        applyRefund(refund, original, decision, books);
        paid.set(refund.claimId, afterRefund(original, decision));
        draft.refunds.push({ claimId: refund.claimId, outcome });
        draft.held.push(...heldBy(refund.refundId, decision));
      }
      return { status: decision.status, code: decision.code, skips: [] };
    }
    case 'PREMIUM': {
      const { premium } = decoded;
      const decision = decidePremium(premium, books, policyOf);
      applyPremium(premium, decision, books);
      const { allocation } = decision;
      if (allocation !== null) paid.set(premium.premiumId, paidByPremium(premium, allocation, decision.on));
      draft.answer(decoded.identity, message, resultRow(encodePremium(premium, decision, traceparent)));
      return { status: decision.status, code: decision.code, skips: [] };
    }
    default:
      return decoded satisfies never;
  }
}

/** The rules of the patient's region, which say how it prints totals; null where the patient is unknown. */
const patientsRules = ({ policies: [patient], on }: Settlement, policyOf: PolicyLookup): Policy | null =>
  patient === undefined ? null : policyOf(patient.region, on);

/** What a refund leaves to be paid out by hand, as one sum per person. */
function heldBy(refundId: string, decision: ReturnType<typeof decideRefund>) {
  const sums = new Map<string, typeof ZERO>();
  for (const step of decision.returned) {
    if (step.source === 'CASH' || !step.manual) continue;
    const { account } = step.allocation;
    sums.set(account, add(sums.get(account) ?? ZERO, step.amount));
  }
  return [...sums].map(([personNo, amount]) => ({ personNo, refundId, amount }));
}
