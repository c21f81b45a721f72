import { BIND_REFUSAL_CODES, CLAIM_REJECTION_CODES, DEAD_LETTER_CODES, PAUSE_REASONS } from '@repo/domain';
import { z } from 'zod';
import { codes, premiumOutcome, refundOutcome, settlementOutcome } from './answers.ts';
import { headerText, type Issue, type RawMessage } from './decode.ts';

const text = z.string();
const moment = z.string().meta({ format: 'date-time' });

const settled = { status: z.literal('SETTLED'), code: z.null() } as const;
const refused = <Code extends z.ZodNullable>(code: Code) =>
  ({ status: z.literal('REFUSED'), code: code.unwrap() as ReturnType<Code['unwrap']> }) as const;

/** `settlement.rejected`: nothing was settled; the message is a dead letter. */
const rejected = z.object({
  claim_id: text,
  psn_no: text.nullable(),
  status: z.literal('REJECTED'),
  code: codes([...CLAIM_REJECTION_CODES, ...DEAD_LETTER_CODES]),
  issues: z.array(z.object({ path: text, problem: text })),
});

const who = { binding_id: text, payer: text, beneficiary: text } as const;
const moved = <const State extends string>(state: State) => z.object({ ...who, state: z.literal(state), at: moment });
/** `sharing.paused` and `sharing.resumed`: reasons and state are those after the change. */
const pause = z.object({
  ...who,
  reason: z.enum(PAUSE_REASONS).describe('the one that was added or taken away'),
  pause_reasons: z.array(z.enum(PAUSE_REASONS)),
  state: z.enum(['PENDING', 'REJECTED', 'ACTIVE', 'PAUSED', 'REVOKED']),
  effective_on: z.string().meta({ format: 'date' }),
  cause: z.object({ ce_type: text, id: text }),
});

/** The events of `gongji.settlements.v1`, by `ce_type`. */
export const settlementSchemas = {
  'settlement.settled': settlementOutcome.extend(settled),
  'settlement.refused': settlementOutcome.extend(refused(settlementOutcome.shape.code)),
  'settlement.rejected': rejected,
  'refund.settled': refundOutcome.extend({ status: z.literal('REFUNDED'), code: z.null() }),
  'refund.refused': refundOutcome.extend(refused(refundOutcome.shape.code)),
  'premium.settled': premiumOutcome.extend(settled),
  'premium.refused': premiumOutcome.extend(refused(premiumOutcome.shape.code)),
} as const;

/** The events of `gongji.sharing.v1`, by `ce_type`. */
export const sharingSchemas = {
  'sharing.paused': pause,
  'sharing.resumed': pause,
  'binding.activated': z.object({ ...who, state: z.enum(['ACTIVE', 'PAUSED']), at: moment }),
  'binding.rejected': moved('REJECTED'),
  'binding.revoked': moved('REVOKED'),
  'binding.refused': z.object({ ...who, state: z.null(), code: codes(BIND_REFUSAL_CODES), at: moment }),
} as const;

const SCHEMAS = { ...settlementSchemas, ...sharingSchemas };
export type PublishedType = keyof typeof SCHEMAS;

/** One published event, by type. Fields unknown to this version are left out. */
export type PublishedEvent = {
  [T in PublishedType]: {
    readonly kind: 'EVENT';
    /** The same for every copy of the event. */
    readonly id: string;
    /** Counts without gaps per topic and partition: a record whose number is not above the last one read is a repeat. */
    readonly sequence: bigint;
    readonly type: T;
    readonly value: z.output<(typeof SCHEMAS)[T]>;
  };
}[PublishedType];

/** A type unknown to this version. Readers skip it, since new types may be added within a topic's version. */
export interface OtherEvent {
  readonly kind: 'OTHER';
  readonly type: string;
}

/** A record that breaks the contract: what was expected where, without any value. */
export interface BrokenEvent {
  readonly kind: 'BROKEN';
  readonly issues: readonly Issue[];
}

/** Reads a record of `gongji.settlements.v1` or `gongji.sharing.v1`, for programs that consume them. Never throws. */
export function decodePublished(raw: Pick<RawMessage, 'headers' | 'value'>): PublishedEvent | OtherEvent | BrokenEvent {
  const [type, id, sequence] = ['ce_type', 'ce_id', 'ce_sequence'].map((name) => headerText(raw, name));
  if (type == null) return broken('ce_type', 'expected a header');
  if (!Object.hasOwn(SCHEMAS, type)) return { kind: 'OTHER', type };
  if (id == null) return broken('ce_id', 'expected a header');
  if (sequence == null || !/^\d{1,19}$/.test(sequence)) return broken('ce_sequence', 'expected a header with a number');
  const parsed = SCHEMAS[type as PublishedType].safeParse(jsonOf(raw.value));
  if (!parsed.success) {
    const issues = parsed.error.issues.slice(0, 50);
    return { kind: 'BROKEN', issues: issues.map(({ path, message }) => ({ path: path.join('.'), problem: message })) };
  }
  return { kind: 'EVENT', id, sequence: BigInt(sequence), type, value: parsed.data } as PublishedEvent;
}

const broken = (path: string, problem: string): BrokenEvent => ({ kind: 'BROKEN', issues: [{ path, problem }] });

function jsonOf(bytes: Uint8Array | null): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes ?? new Uint8Array()));
  } catch {
    return undefined;
  }
}
