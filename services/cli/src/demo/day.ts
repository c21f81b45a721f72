import { DAY, MIDNIGHT } from './account.ts';
import type { City } from './city.ts';
import { Random } from './random.ts';
import { type ClaimSubmitted, secondOfDay, visit } from './visit.ts';

const VISITS = 11;
const ODDITIES = 12;
const MIDNIGHT_MS = Date.parse(MIDNIGHT);

/** One message for the claims topic, and how many outcomes and dead letters the system must publish for it. */
export interface DayMessage {
  /** When the hospital settles it, in milliseconds since 1970. Messages come in this order. */
  readonly at: number;
  readonly claimId: string;
  readonly key: string;
  readonly type: string;
  readonly value: string;
  readonly outcomes: 0 | 1;
  readonly deadLetters: 0 | 1;
}

/** One message in a hundred and fifty is sent twice or is wrong, more than in life, so that the demo has some to show. */
const ODDITY_SHARE = 1 / 150;

/** The day's claims in order of time: `count` well-formed ones of distinct ids, and beside them a few that are not. */
export function* claims(city: City, count: number): Generator<DayMessage, void> {
  for (let index = 0; index < count; index += 1) {
    const random = new Random(city.seed, VISITS, index);
    // One draw from each of `count` equal slices of the day: the visits come out in order of time without a sort.
    const second = secondOfDay((index + random.next()) / count);
    const time = { second, iso: clock(second) };
    const claim = visit(random, city.patient(random), String(index).padStart(8, '0'), time);
    const message = submitted(claim, MIDNIGHT_MS + second * 1000);
    yield message;
    const odd = new Random(city.seed, ODDITIES, index);
    if (odd.chance(ODDITY_SHARE)) yield oddity(odd, claim, message);
  }
}

function clock(second: number): string {
  const part = (value: number) => String(Math.floor(value) % 60).padStart(2, '0');
  return `${DAY}T${part(second / 3600)}:${part(second / 60)}:${part(second)}+08:00`;
}

const submitted = (claim: ClaimSubmitted, at: number): DayMessage => ({
  at,
  claimId: claim.claim_id,
  key: claim.psn_no,
  type: 'claim.submitted',
  value: JSON.stringify(claim),
  outcomes: 1,
  deadLetters: 0,
});

/** What goes wrong between a hospital and its network, made from the claim sent just before. */
function oddity(random: Random, claim: ClaimSubmitted, sent: DayMessage): DayMessage {
  const claimId = `${claim.claim_id}X`;
  const other = submitted({ ...claim, claim_id: claimId }, sent.at);
  const rejected = (change: object): DayMessage => ({
    ...other,
    value: JSON.stringify({ ...claim, claim_id: claimId, ...change }),
    deadLetters: 1,
  });
  return random.weighted<DayMessage>([
    // A sender that saw no answer sends again: nothing may happen.
    [12, { ...sent, outcomes: 0 }],
    // The same id with another sum is a conflict: rejected and set aside.
    [2, { ...sent, value: JSON.stringify({ ...claim, mdtrt_id: `${claim.mdtrt_id}X` }), deadLetters: 1 }],
    [2, rejected({ psn_part_amt: '1.005' })],
    [2, rejected({ fund_pay_sumamt: '1.00', medfee_sumamt: '999999.00' })],
    [2, rejected({ med_type: undefined })],
    [1, { ...other, value: `${other.value.slice(0, -9)}`, outcomes: 0, deadLetters: 1 }],
    [1, { ...other, type: 'claim.imagined', outcomes: 0, deadLetters: 1 }],
    [1, { ...other, key: '330190000000', outcomes: 0, deadLetters: 1 }],
    // A person nobody opened: refused, not rejected.
    [
      1,
      { ...other, key: '000000000000', value: JSON.stringify({ ...claim, claim_id: claimId, psn_no: '000000000000' }) },
    ],
  ]);
}
