import { DECODE_LIMITS, type DecodedClaims, type DecodedMembers, decodeClaims, decodeMembers } from '@repo/contracts';
import { CLAIM_REJECTION_CODES, DEAD_LETTER_CODES, MONEY_MAX } from '@repo/domain';
import type { Dice } from '../dice.ts';
import { hostileRecord } from '../events.ts';
import { CANARY } from '../hostile.ts';
import { promise, type Target } from '../target.ts';

/** When every record comes. */
const CAME = Date.parse('2025-03-10T10:00:00+08:00');
/** An index of PostgreSQL takes 2,704 bytes; 200 characters of an id, percent-encoded, are at most 1,800. */
const IDENTITY_LENGTH_MAX = 2_000;
const CODES: ReadonlySet<string> = new Set([...DEAD_LETTER_CODES, ...CLAIM_REJECTION_CODES]);

/** The decoders of both input topics: any record is an event or a list of problems, and never an exception. */
export const target: Target = {
  name: 'decoders',
  feed: (dice: Dice) => {
    const stream = dice.pick(['claims', 'members'] as const);
    const raw = { ...hostileRecord(dice, stream), timestampMs: CAME };
    const decode = stream === 'claims' ? decodeClaims : decodeMembers;
    const decoded = decode(raw, DECODE_LIMITS);
    look(decoded);
    // What a decoder keeps from one call to the next must not show.
    if (dice.chance(5))
      promise(same(decoded, decode(raw, DECODE_LIMITS)), 'the same record is read otherwise the second time');
  },
};

const same = (one: DecodedClaims | DecodedMembers, other: DecodedClaims | DecodedMembers): boolean =>
  one.kind === 'BAD' || other.kind === 'BAD'
    ? JSON.stringify(one) === JSON.stringify(other)
    : one.content === other.content && one.identity === other.identity;

function look(decoded: DecodedClaims | DecodedMembers): void {
  if (decoded.kind === 'BAD') {
    promise(CODES.has(decoded.code), `the code ${decoded.code} is on no list`);
    promise(decoded.code === 'EVENT_TOO_LARGE' || decoded.issues.length > 0, `${decoded.code} says not what is wrong`);
    for (const { path, problem } of decoded.issues) {
      promise(problem.startsWith('expected '), `a problem says not what was expected: ${problem}`);
      promise(!`${path}${problem}`.includes(CANARY), 'a problem repeats what was sent');
      promise(`${path}: ${problem}`.length < 1_000, 'a problem is as long as the message');
    }
    return;
  }
  promise(
    decoded.identity.length > 0 && decoded.identity.length < IDENTITY_LENGTH_MAX,
    'the identity has no sensible length',
  );
  promise(Array.isArray(JSON.parse(decoded.content)), 'the content is not what it should be');
  const { kind: _, identity: __, content: ___, ...fact } = decoded;
  walk(fact);
}

/** Nothing undefined, no number that is none, no text that PostgreSQL refuses, no amount beyond the national interface. */
function walk(value: unknown): void {
  promise(value !== undefined, 'a field of an event is undefined');
  if (typeof value === 'number') promise(Number.isFinite(value), 'a number of an event is none');
  if (typeof value === 'string') promise(value.isWellFormed() && !value.includes('\0'), 'a text cannot be stored');
  if (typeof value === 'bigint') promise(value >= 0n && value <= MONEY_MAX, 'an amount is beyond its bounds');
  if (value instanceof Map) for (const each of value) walk(each);
  else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) walk(each);
}
