import { yuan } from './fen.ts';
import { fieldsOf } from './problems.ts';
import { Random } from './random.ts';

/** What a message must lead to, as its sender knows. Amounts are fen. */
export type Meaning =
  | {
      readonly kind: 'opening';
      readonly id: string;
      readonly account: string;
      readonly priorYear: bigint;
      readonly currentYear: bigint;
      /** What relatives' claims must leave in it. */
      readonly floor: bigint;
      /** Relatives may draw only on what earlier years have left. */
      readonly priorYearOnly: boolean;
    }
  | {
      readonly kind: 'binding';
      readonly id: string;
      readonly payer: string;
      /** What it may pay at most for one day, less what was refunded of it; null = as much as there is. */
      readonly dailyLimit: bigint | null;
      /** What it may pay at most in all, less what was refunded; null = as much as there is. */
      readonly authorised: bigint | null;
    }
  | { readonly kind: 'claim'; readonly id: string; readonly share: bigint }
  | { readonly kind: 'refund'; readonly id: string; readonly claimId: string }
  | { readonly kind: 'credit'; readonly id: string; readonly account: string; readonly amount: bigint }
  | { readonly kind: 'switch'; readonly id: string; readonly bindingId: string; readonly paused: boolean }
  /** Refused before it is judged: a dead letter, and a rejection where `rejects` names the claim. */
  | { readonly kind: 'bad'; readonly code: string; readonly rejects: string | null };

export interface Sent {
  readonly topic: 'claims' | 'members';
  readonly key: string;
  readonly type: string;
  /** Null is a tombstone. */
  readonly value: string | null;
  readonly meaning: Meaning;
  /** How far the clock of its sender is off, in ms; it stamps the record. */
  readonly clockOffMs?: number;
}

/** A region without rules of its own, so that the nationwide ones hold, one whose payers keep 50.00, and one whose payers authorise an amount (see `policy/`). */
const REGION = '410100';
const FLOOR_REGION = '410200';
const AUTHORISED_REGION = '410300';
const FLOOR = 5_000n;
const FLOOR_FAMILIES = 15;
const AUTHORISED_FAMILIES = 15;
const DAILY_LIMIT = 6_000n;
const AUTHORISED = 40_000n;
const RELATIONS = ['SPOUSE', 'PARENT', 'SIBLING'] as const;
const OPENED_AT = '2025-01-06T09:00:00+08:00';
/**
 * Some hours before New Year in Shanghai; a message is 20 s after the last, so that a few thousand cross it, and then a midnight a
 * minute. Only what is meant to happen at midnight does: that of New Year itself is told from it by its time.
 */
const FIRST_MS = Date.parse('2025-12-31T08:00:07Z');
const STEP_MS = 20_000;
const DAY_MS = 86_400_000;
/** Midnight in Shanghai. */
const MIDNIGHT_MS = 16 * 3_600_000;
/** What may be sent again, refunded or contradicted is drawn from the last so many claims. */
const MEMORY = 3_000;

/** Everything that is ever sent, one message after another, from the seed alone. */
export class Script {
  readonly #random: Random;
  readonly #families: number;
  readonly #recent: Sent[] = [];
  readonly #recentMembers: Sent[] = [];
  readonly #pausedBy = new Map<string, boolean>();
  /** Claims whose refunds went ahead of them. */
  readonly #late: Sent[] = [];
  #count = 0;

  constructor(options: { readonly seed: number; readonly families: number }) {
    this.#random = new Random(options.seed);
    this.#families = options.families;
  }

  /** Families of a patient and three relatives who pay for them; the last relative also pays for the next family. */
  opening(): Sent[] {
    const accounts: Sent[] = [];
    const bindings: Sent[] = [];
    for (let family = 0; family < this.#families; family++) {
      for (let member = 0; member < 4; member++) accounts.push(this.#account(personOf(family, member)));
      for (let member = 1; member < 4; member++) bindings.push(bindingOf(family, personOf(family, member), member));
      bindings.push(bindingOf(family, personOf((family + this.#families - 1) % this.#families, 3), 4));
    }
    return [...accounts, ...bindings];
  }

  get patients(): string[] {
    return Array.from({ length: this.#families }, (_, family) => personOf(family, 0));
  }

  nextClaim(): Sent {
    const random = this.#random;
    const draw = random.below(100);
    if (this.#recent.length > 0) {
      if (draw < 5) return random.pick(this.#recent);
      if (draw < 6) return this.#conflict(random.pick(this.#recent));
      if (draw < 13) return this.#remember(this.#refund(random.pick(this.#recent)));
      if (draw === 13 && this.#late.length > 0) return this.#remember(this.#late.shift() as Sent);
    }
    const claim = this.#clockOff(this.#claim());
    if (draw === 99) return this.#spoil(claim);
    if (draw !== 98) return this.#remember(claim);
    // The refund comes first, and is refused; the claim is due later.
    this.#late.push(claim);
    return this.#refund(claim);
  }

  /** Some senders' clocks are minutes off, either way. */
  #clockOff(sent: Sent): Sent {
    return this.#random.chance(5) ? { ...sent, clockOffMs: (this.#random.below(21) - 10) * 60_000 } : sent;
  }

  nextMember(): Sent {
    const random = this.#random;
    const draw = random.below(100);
    if (draw < 8 && this.#recentMembers.length > 0) return random.pick(this.#recentMembers);
    const sent = draw < 60 ? this.#credit() : draw < 63 ? this.#spoil(this.#credit()) : this.#switch();
    if (sent.meaning.kind !== 'bad') keep(this.#recentMembers, sent);
    return sent;
  }

  /** The last messages once more, as a sender does that has lost its answers. */
  repeats(count: number): Sent[] {
    return this.#recent.slice(-count);
  }

  #remember(sent: Sent): Sent {
    keep(this.#recent, sent);
    return sent;
  }

  #moment(): string {
    this.#count += 1;
    return new Date(FIRST_MS + this.#count * STEP_MS).toISOString();
  }

  /** When a claim was settled: mostly now, sometimes in the last or first moment of a day, sometimes long ago. */
  #settledAt(): string {
    const now = Date.parse(this.#moment());
    const draw = this.#random.below(100);
    const midnight = now - (now % DAY_MS) - DAY_MS + MIDNIGHT_MS;
    if (draw < 3) return new Date(midnight - (draw % 2)).toISOString();
    return new Date(draw < 5 ? now - this.#random.below(400 * DAY_MS) : now).toISOString();
  }

  #account(psn_no: string): Sent {
    const [prior, current] = [100 + this.#random.below(15_000), 100 + this.#random.below(15_000)];
    const value = {
      ...{
        psn_no,
        insutype: '310',
        psn_type: '1101',
        employment: 'ACTIVE',
        insu_admdvs: psn_no.slice(0, 6),
        insured: true,
      },
      ...{ prior_year: yuan(prior), current_year: yuan(current), as_of: OPENED_AT },
    };
    const meaning = {
      kind: 'opening',
      id: psn_no,
      account: psn_no,
      priorYear: BigInt(prior),
      currentYear: BigInt(current),
      floor: psn_no.startsWith(FLOOR_REGION) ? FLOOR : 0n,
      priorYearOnly: psn_no.startsWith(AUTHORISED_REGION),
    } as const;
    return message('members', 'account.opened', psn_no, value, meaning);
  }

  #claim(): Sent {
    const random = this.#random;
    const at = this.#settledAt();
    const claim_id = `C${this.#count}`;
    const psn_no = personOf(random.below(this.#families), 0);
    const [share, fund] = [100 + random.below(9_900), random.below(20_000)];
    const value = {
      ...{ claim_id, mdtrt_id: `M${claim_id}`, psn_no, fixmedins_code: `H${REGION}00001`, designated: true },
      ...{ fix_blng_admdvs: psn_no.slice(0, 6), med_type: '11', setl_time: at },
      ...(random.chance(2) && { note: HOSTILE }),
      ...{ medfee_sumamt: yuan(share + fund), fund_pay_sumamt: yuan(fund), psn_part_amt: yuan(share) },
    };
    return message('claims', 'claim.submitted', psn_no, value, { kind: 'claim', id: claim_id, share: BigInt(share) });
  }

  /** Of a claim: all that is left, or a part that may exceed it. A refund is sent a second time with an id of its own. */
  #refund({ key, value }: Sent): Sent {
    const { claim_id } = fieldsOf({ value }) as { claim_id: string };
    const at = this.#moment();
    const refund_id = `R${this.#count}`;
    const part = this.#random.chance(50) ? { amount: yuan(1 + this.#random.below(4_000)) } : {};
    const refund = { refund_id, claim_id, psn_no: key, at, ...part };
    return message('claims', 'claim.refunded', key, refund, { kind: 'refund', id: refund_id, claimId: claim_id });
  }

  /** The same id with another content. */
  #conflict(original: Sent): Sent {
    const fields = fieldsOf(original) as Record<string, string>;
    const isClaim = original.type === 'claim.submitted';
    const changed = isClaim ? { mdtrt_id: `${fields.mdtrt_id}x` } : { amount: '12345678.00' };
    const meaning = isClaim
      ? ({ kind: 'bad', code: 'CLAIM_DUPLICATE_CONFLICT', rejects: fields.claim_id ?? null } as const)
      : ({ kind: 'bad', code: 'EVENT_CONFLICT', rejects: null } as const);
    return { ...original, value: JSON.stringify({ ...fields, ...changed }), meaning };
  }

  /** A message that must not be judged at all, in one of several ways. */
  #spoil(sent: Sent): Sent {
    const fields = fieldsOf(sent);
    const isClaim = sent.topic === 'claims';
    const bad = (code: string, changes: Partial<Sent>, rejects: string | null = null): Sent => ({
      ...{ ...sent, ...changes },
      meaning: { kind: 'bad', code, rejects },
    });
    const text = String(sent.value);
    // Rarely, since it is kept as often as it is copied.
    if (this.#random.below(40) === 0)
      return bad('EVENT_TOO_LARGE', { value: text.replace('{', `{"pad":"${'x'.repeat(1 << 20)}",`) });
    switch (this.#random.below(7)) {
      case 0:
        return bad('EVENT_UNREADABLE', { value: text.slice(0, -1) });
      case 1:
        return bad('EVENT_TYPE_UNKNOWN', { type: 'claim.imagined' });
      case 2:
        return bad('KEY_MISMATCH', { key: `${sent.key}9` });
      case 3:
        return bad('EVENT_UNREADABLE', { value: null });
      case 4:
        return bad('EVENT_UNREADABLE', { value: '['.repeat(20_000) });
      case 5:
        return bad('EVENT_UNREADABLE', { value: `[${text}]` });
      default: {
        const value = JSON.stringify({ ...fields, [isClaim ? 'psn_part_amt' : 'amount']: '1.234' });
        return isClaim
          ? bad('CLAIM_AMOUNT_INVALID', { value }, String(fields.claim_id))
          : bad('EVENT_MALFORMED', { value });
      }
    }
  }

  #credit(): Sent {
    const at = this.#moment();
    const credit_id = `K${this.#count}`;
    const psn_no = personOf(this.#random.below(this.#families), this.#random.below(4));
    const amount = 1_000 + this.#random.below(20_000);
    const value = { credit_id, psn_no, amount: yuan(amount), at };
    const meaning = { kind: 'credit', id: credit_id, account: psn_no, amount: BigInt(amount) } as const;
    return message('members', 'account.credited', psn_no, value, meaning);
  }

  /** The payer's own switch: what is on goes off, and back. */
  #switch(): Sent {
    const payer = personOf(this.#random.below(this.#families), 1 + this.#random.below(2));
    const binding_id = `B${payer}-1`;
    const paused = !(this.#pausedBy.get(binding_id) ?? false);
    this.#pausedBy.set(binding_id, paused);
    const at = this.#moment();
    const meaning = { kind: 'switch', id: `W${this.#count}`, bindingId: binding_id, paused } as const;
    return message('members', paused ? 'binding.paused' : 'binding.resumed', payer, { binding_id, payer, at }, meaning);
  }
}

function keep(list: Sent[], sent: Sent): void {
  list.push(sent);
  if (list.length > MEMORY) list.splice(0, MEMORY / 10);
}

const personOf = (family: number, member: number): string =>
  `${regionOf(family)}${String(family * 4 + member).padStart(8, '0')}`;

function regionOf(family: number): string {
  if (family < FLOOR_FAMILIES) return FLOOR_REGION;
  return family < FLOOR_FAMILIES + AUTHORISED_FAMILIES ? AUTHORISED_REGION : REGION;
}

/** What nobody asked for and nothing may come of: it is ignored. */
const HOSTILE = '\u202e\u0000"; drop table account; -- {{x}} <script> %s';

/** Priority 4 is the relative of the family before. */
function bindingOf(family: number, payer: string, priority: number): Sent {
  const binding_id = `B${payer}-${priority === 4 ? 2 : 1}`;
  const relation = RELATIONS[priority - 1] ?? 'PARENT';
  const dailyLimit = priority === 2 ? DAILY_LIMIT : null;
  const authorised = payer.startsWith(AUTHORISED_REGION) ? AUTHORISED : null;
  const value = {
    ...{ binding_id, payer, beneficiary: personOf(family, 0), relation, priority, bound_at: OPENED_AT },
    ...(dailyLimit !== null && { daily_limit: yuan(Number(dailyLimit)) }),
    ...(authorised !== null && { authorised_amount: yuan(Number(authorised)) }),
  };
  const meaning = { kind: 'binding', id: binding_id, payer, dailyLimit, authorised } as const;
  return message('members', 'binding.opened', payer, value, meaning);
}

const message = (topic: Sent['topic'], type: string, key: string, value: object, meaning: Meaning): Sent => ({
  topic,
  type,
  key,
  value: JSON.stringify(value),
  meaning,
});
