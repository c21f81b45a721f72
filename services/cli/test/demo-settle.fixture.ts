import {
  DECODE_LIMITS,
  type DecodedClaims,
  decodeClaims,
  decodeMembers,
  encodeRejected,
  encodeSettlement,
  type RawMessage,
} from '@repo/contracts';
import { applyMemberEvent, applySettlement, Books, type Contribution, decideClaim, ZERO } from '@repo/domain';
import { loadPolicies } from '@repo/policy';
import type { City, MemberRow } from '../src/demo/city.ts';
import { claims, type DayMessage } from '../src/demo/day.ts';
import type { Outcome } from '../src/demo/outcome.ts';
import { Tally } from '../src/demo/tally.ts';
import { DAY_MS, FIRST_MS } from '../src/demo/visit.ts';

/** What a message came to: the outcome published, if any, and whether it became a dead letter. */
export interface Answer {
  readonly outcome: Outcome | null;
  readonly dead: boolean;
}

const raw = (key: string, type: string, value: string): RawMessage => ({
  key: Buffer.from(key),
  value: Buffer.from(value),
  headers: [['ce_type', Buffer.from(type)]],
  timestampMs: FIRST_MS,
});

/** The system without its servers: the real contract, rules and shipped packs, the books in memory. */
export async function createSettler() {
  const loaded = await loadPolicies();
  if (!('policies' in loaded)) throw new Error(loaded.problems.join('\n'));
  const policyOf = loaded.policies.policyAt;
  const books = new Books(policyOf);
  const months = new Map<string, Contribution[]>();
  const contributions = {
    monthsOf: (personNo: string) => months.get(personNo) ?? [],
    put: (month: Contribution) => void months.set(month.personNo, [...(months.get(month.personNo) ?? []), month]),
  };
  const world = { books, contributions, policyOf, held: { heldFor: () => ZERO, pay: () => {} } };
  const contents = new Map<string, string>();

  /** The place of a message that is wrong: what is published of it, and a dead letter. */
  const reject = (bad: Extract<DecodedClaims, { kind: 'BAD' }>): Answer => {
    const silent = bad.claimId === null || bad.code === 'KEY_MISMATCH' || bad.code.startsWith('EVENT_');
    const { payload } = encodeRejected(bad, { id: 'place', at: FIRST_MS, key: null });
    return { outcome: silent ? null : (payload as Outcome), dead: true };
  };

  return {
    load(rows: Iterable<MemberRow>): void {
      for (const { type, value } of rows) {
        const key = type === 'account.opened' ? value.psn_no : value.payer;
        const decoded = decodeMembers(raw(key, type, JSON.stringify(value)), DECODE_LIMITS);
        if (decoded.kind !== 'MEMBER') throw new Error(`${type} ${key}: ${JSON.stringify(decoded)}`);
        const verdict = applyMemberEvent(decoded.event, world);
        if (verdict.kind === 'DEAD') throw new Error(`${type} ${key}: ${verdict.code} ${verdict.detail}`);
      }
    },
    answer({ key, type, value }: DayMessage): Answer {
      const decoded = decodeClaims(raw(key, type, value), DECODE_LIMITS);
      if (decoded.kind === 'BAD') return reject(decoded);
      if (decoded.kind !== 'CLAIM') throw new Error(`the demo sends no ${decoded.kind}`);
      const { claim, identity, content } = decoded;
      const before = contents.get(identity);
      if (before === content) return { outcome: null, dead: false };
      if (before !== undefined) {
        const conflict = { kind: 'BAD', code: 'CLAIM_DUPLICATE_CONFLICT', issues: [] } as const;
        return reject({ ...conflict, claimId: claim.claimId, personNo: claim.personNo });
      }
      contents.set(identity, content);
      const settlement = decideClaim(claim, books, policyOf);
      applySettlement(claim, settlement, books);
      return { outcome: encodeSettlement(claim, settlement, 'S').payload as Outcome, dead: false };
    },
  };
}

/** The tally of a whole day, settled as fast as it can be, on a clock of its own: 75 seconds, 50 ms for each answer. */
export async function tallyDay(city: City, count: number): Promise<{ tally: Tally; endMs: number }> {
  const settler = await createSettler();
  settler.load(city.members());
  const tally = new Tally({ city, claims: count });
  tally.phase = 'SETTLING';
  let endMs = 0;
  for (const message of claims(city, count)) {
    endMs = ((message.at - FIRST_MS) / DAY_MS) * 75_000;
    tally.sending(message, endMs);
    const { outcome, dead } = settler.answer(message);
    if (outcome) tally.answer(outcome, endMs + 50);
    if (dead) tally.deadLetter();
  }
  return { tally, endMs: endMs + 50 };
}
