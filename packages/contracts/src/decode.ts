import {
  brokenIdentity,
  type CalendarDate,
  type Claim,
  type DeadLetterCode,
  type Instant,
  type MemberEvent,
  NO_TIMESTAMP,
  type Premium,
  type Refund,
  timestampOf,
} from '@repo/domain';
import type { z } from 'zod';
import { claimRefunded, claimSubmitted, premiumSubmitted, toClaim, toPremium, toRefund } from './claims-in.ts';
import { AMOUNT_PROBLEM, parseInstant } from './fields.ts';
import { canonicalContent } from './identity.ts';
import { readJson } from './json.ts';
import { arrearsCheck, EXPIRED_PROBLEM, type MemberType, memberSchemas, toMemberEvent } from './members-in.ts';

/** A message as it came, whatever carried it. */
export interface RawMessage {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
  readonly timestampMs: number;
  /** Set where the reader of the topic could not read a batch: the message then stands for `count` messages from offset `from` on. */
  readonly unread?: { readonly isTooLarge: boolean; readonly from: bigint; readonly count: number };
}

/** One thing that is wrong with a message: where, and what was expected there. Never contains a value of the message. */
export interface Issue {
  readonly path: string;
  readonly problem: string;
}

export interface Bad {
  readonly kind: 'BAD';
  readonly code: DeadLetterCode;
  readonly issues: readonly Issue[];
  /** The claim's id and person, for its rejection; null where they could not be read. */
  readonly claimId: string | null;
  readonly personNo: string | null;
}

interface Good {
  /** Identifies the event for ever, also when it is sent again. */
  readonly identity: string;
  /** Its decoded fields in one canonical form: equal content gives equal text. */
  readonly content: string;
  readonly personNo: string;
}

export type DecodedClaim = Good & { kind: 'CLAIM'; claim: Claim };
export type DecodedClaims =
  | Bad
  | DecodedClaim
  | (Good & ({ kind: 'REFUND'; refund: Refund; atText: string } | { kind: 'PREMIUM'; premium: Premium }));

export interface ArrearsCheck {
  readonly checkId: string;
  readonly on: CalendarDate;
  readonly shard: number | null;
  readonly shards: number | null;
}

export type DecodedMembers =
  | Bad
  | (Good & { kind: 'MEMBER'; event: MemberEvent })
  | (Good & { kind: 'ARREARS_CHECK'; check: ArrearsCheck; at: Instant });

export interface DecodeLimits {
  /** The largest value accepted, bytes. */
  readonly valueBytesMax: number;
  /** How far a moment may lie after the record's timestamp, days. */
  readonly futureDaysMax: number;
}

export const DECODE_LIMITS: DecodeLimits = { valueBytesMax: 1_048_576, futureDaysMax: 400 };

interface Opened {
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly key: string | null;
  readonly now: Instant;
  /** The latest moment that the event may state; null where its record has no timestamp to judge that by. */
  readonly latest: Instant | null;
}

/** Reads a message of `gongji.claims.v1`, testing in this order: size, JSON, type, key, fields, amounts, identities. Never throws. */
export function decodeClaims(raw: RawMessage, limits: DecodeLimits): DecodedClaims {
  const opened = open(raw, limits);
  if ('kind' in opened) return opened;
  const { fields } = opened;
  switch (opened.type) {
    case 'claim.submitted':
      return readClaim(opened, 'psn_no');
    case 'claim.refunded': {
      const read = check(opened, claimRefunded, 'psn_no', eventProblem);
      if ('kind' in read) return read;
      const refund = toRefund(read.wire);
      const named = good(`refund:${refund.refundId}`, refund.personNo, opened, claimRefunded, read.wire);
      return { ...named, kind: 'REFUND', refund, atText: read.wire.at };
    }
    case 'premium.submitted': {
      const read = check(opened, premiumSubmitted, 'beneficiary', eventProblem);
      if ('kind' in read) return read;
      const premium = toPremium(read.wire);
      const named = good(`claim:${premium.premiumId}`, premium.beneficiary, opened, premiumSubmitted, read.wire);
      return { ...named, kind: 'PREMIUM', premium };
    }
    default:
      return unknownType(fields);
  }
}

/**
 * Reads the fields of a `claim.submitted` that did not come through the topic, at the moment `now`: by the same rules and with the same
 * issues, but without key and headers.
 */
export function decodeClaim(value: Uint8Array, now: Instant, limits: DecodeLimits): Bad | DecodedClaim {
  const type = new TextEncoder().encode('claim.submitted');
  const opened = open({ key: null, value, headers: [['ce_type', type]], timestampMs: now }, limits);
  return 'kind' in opened ? opened : readClaim(opened, null);
}

function readClaim(opened: Opened, keyField: 'psn_no' | null): Bad | DecodedClaim {
  const read = check(opened, claimSubmitted, keyField, claimProblem);
  if ('kind' in read) return read;
  const claim = toClaim(read.wire);
  const broken = brokenIdentity(claim);
  if (broken !== null) return bad('CLAIM_IDENTITY_VIOLATION', opened.fields, [BROKEN[broken]]);
  const named = good(`claim:${claim.claimId}`, claim.personNo, opened, claimSubmitted, read.wire);
  return { ...named, kind: 'CLAIM', claim };
}

/** Reads a message of `gongji.members.v1`, testing in the same order as `decodeClaims`. Never throws. */
export function decodeMembers(raw: RawMessage, limits: DecodeLimits): DecodedMembers {
  const opened = open(raw, limits);
  if ('kind' in opened) return opened;
  const { type, fields, now } = opened;
  if (type === 'arrears.check') {
    const read = check(opened, arrearsCheck, null, eventProblem);
    if ('kind' in read) return read;
    const { check_id: checkId, on, shard = null, shards = null } = read.wire;
    const named = good(`arrears.check:${checkId}:${shard ?? 'all'}`, '', opened, arrearsCheck, read.wire);
    return { kind: 'ARREARS_CHECK', check: { checkId, on, shard, shards }, at: now, ...named };
  }
  if (!Object.hasOwn(memberSchemas, type)) return unknownType(fields);
  const memberType = type as MemberType;
  const schema = memberSchemas[memberType];
  const keyField = 'payer' in schema.shape ? 'payer' : 'psn_no';
  const read = check<z.ZodObject>(opened, schema as unknown as z.ZodObject, keyField, eventProblem);
  if ('kind' in read) return read;
  const build = toMemberEvent[memberType] as (wire: unknown, now: Instant) => MemberEvent;
  const event = build(read.wire, now);
  const personNo = String(fields[keyField]);
  const identity = memberIdentity(memberType, read.wire as Record<string, unknown>);
  return { kind: 'MEMBER', event, ...good(identity, personNo, opened, schema as unknown as z.ZodObject, read.wire) };
}

const OWN_ID: Partial<Record<MemberType, string>> = {
  'account.changed': 'change_id',
  'account.credited': 'credit_id',
  'contribution.received': 'contribution_id',
  'binding.changed': 'change_id',
};

/** An event's own id; else its type, the person or binding, and the month or moment. */
function memberIdentity(type: MemberType, wire: Record<string, unknown>): string {
  const own = OWN_ID[type];
  if (own === undefined && 'at' in wire && typeof wire.command_id === 'string')
    return `${type}/command:${wire.command_id}`;
  if (own !== undefined) return `${type}:${wire[own]}`;
  // One refund may be paid out to several closed accounts, so the person is part of the identity.
  if (type === 'refund.paid') return `${type}:${encodeURIComponent(String(wire.refund_id))}:${wire.psn_no}`;
  const when = wire.period ?? (typeof wire.at === 'string' ? parseInstant(wire.at) : '');
  return `${type}:${wire.binding_id ?? wire.psn_no}:${when}`;
}

function open(raw: RawMessage, limits: DecodeLimits): Opened | Bad {
  if (raw.unread !== undefined) return unread(raw.unread);
  if (raw.value !== null && raw.value.length > limits.valueBytesMax) return bad('EVENT_TOO_LARGE', {}, []);
  const fields = raw.value === null ? null : readJson(raw.value);
  if (fields === null) return bad('EVENT_UNREADABLE', {}, [{ path: '', problem: 'expected a JSON object in UTF-8' }]);
  const type = headerText(raw, 'ce_type') ?? fields.ce_type;
  if (typeof type !== 'string') return unknownType(fields);
  const stated = headerText(raw, 'ce_time');
  const sent = timestampOf(raw.timestampMs);
  const now = (stated === null ? null : parseInstant(stated)) ?? sent;
  const latest = sent === NO_TIMESTAMP ? null : sent + limits.futureDaysMax * 86_400_000;
  return { type, fields, key: raw.key === null ? null : utf8.decode(raw.key), now, latest };
}

function unread({ isTooLarge, from, count }: NonNullable<RawMessage['unread']>): Bad {
  const offsets = `offsets ${from} to ${from + BigInt(count) - 1n}`;
  return isTooLarge
    ? bad('EVENT_TOO_LARGE', {}, [{ path: '', problem: `the batch it came in holds too much to be read: ${offsets}` }])
    : bad('EVENT_UNREADABLE', {}, [{ path: '', problem: `the batch it came in cannot be read: ${offsets}` }]);
}

/** Keeps a byte order mark: a key that begins with one is another key. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text of a header; null when it is absent. */
export function headerText(
  raw: { readonly headers: ReadonlyArray<readonly [name: string, value: Uint8Array | string]> },
  name: string,
): string | null {
  const [, value = null] = raw.headers.find(([other]) => other === name) ?? [];
  return value === null || typeof value === 'string' ? value : utf8.decode(value);
}

const MOMENTS = ['setl_time', 'at', 'bound_at', 'as_of'] as const;

/** Tests the key first, since a message with a wrong key must not be answered in that person's order; then all fields at once. */
function check<S extends z.ZodObject>(
  opened: Opened,
  schema: S,
  keyField: string | null,
  codeOf: (issues: readonly Issue[]) => DeadLetterCode,
): { wire: z.output<S> } | Bad {
  const { fields, key } = opened;
  if (keyField !== null && typeof fields[keyField] === 'string' && fields[keyField] !== key) {
    return bad('KEY_MISMATCH', fields, [{ path: keyField, problem: 'expected the record key to be this person' }]);
  }
  const parsed = schema.safeParse(fields);
  const untimely = [...lateMoments(opened, schema), ...unexpired(opened)];
  if (parsed.success && untimely.length === 0) return { wire: parsed.data };
  const wrong = parsed.error?.issues.slice(0, 50) ?? [];
  const issues = [...wrong.map(({ path, message }) => ({ path: path.join('.'), problem: message })), ...untimely];
  return bad(codeOf(issues), fields, issues);
}

/** The event's moments that lie too far after its record's timestamp. `ce_time` is tested only where the event has no time of its own. */
function lateMoments({ type, fields, now, latest }: Opened, schema: z.ZodObject): Issue[] {
  if (latest === null) return [{ path: '', problem: 'expected a record with a timestamp of the years 1 to 9999' }];
  const stated = MOMENTS.filter((name) => name in schema.shape && fields[name] != null);
  const late: string[] = stated.filter((name) => {
    const text = fields[name];
    const moment = typeof text === 'string' ? parseInstant(text) : null;
    return moment !== null && moment > latest;
  });
  const hasOwn = stated.some((name) => name === 'setl_time' || name === 'at' || type === 'binding.requested');
  if (!hasOwn && now > latest) late.push('ce_time');
  return late.map((path) => ({ path, problem: 'expected a moment not so far in the future' }));
}

/** A binding imported as expired whose last day is not over at the event's moment: it would be live. */
function unexpired({ type, fields, now }: Opened): Issue[] {
  const { state, effective_to: last } = fields;
  if (type !== 'binding.opened' || state !== 'EXPIRED' || typeof last !== 'string') return [];
  return Date.parse(`${last}T24:00:00+08:00`) > now ? [{ path: 'effective_to', problem: EXPIRED_PROBLEM }] : [];
}

const eventProblem = (): DeadLetterCode => 'EVENT_MALFORMED';

/** A missing or ill-typed field decides before an invalid amount. */
const claimProblem = (issues: readonly Issue[]): DeadLetterCode =>
  issues.every(({ problem }) => problem === AMOUNT_PROBLEM) ? 'CLAIM_AMOUNT_INVALID' : 'CLAIM_MALFORMED';

const BROKEN = {
  I1: { path: 'medfee_sumamt', problem: 'expected fund_pay_sumamt + hosp_part_amt + psn_part_amt' },
  I3: {
    path: 'medfee_sumamt',
    problem: 'expected fulamt_ownpay_amt + overlmt_selfpay + preselfpay_amt + inscp_scp_amt',
  },
} as const;

const unknownType = (fields: Opened['fields']): Bad =>
  bad('EVENT_TYPE_UNKNOWN', fields, [{ path: 'ce_type', problem: 'expected an event type of this topic' }]);

function bad(code: DeadLetterCode, fields: Opened['fields'], issues: readonly Issue[]): Bad {
  const text = (value: unknown) =>
    typeof value === 'string' && value !== '' && value.length <= 200 && value.isWellFormed() ? value : null;
  return { kind: 'BAD', code, issues, claimId: text(fields.claim_id), personNo: text(fields.psn_no) };
}

function good(identity: string, personNo: string, opened: Opened, schema: z.ZodObject, wire: unknown): Good {
  return {
    identity,
    personNo,
    content: canonicalContent(opened.type, Object.keys(schema.shape), wire as Record<string, unknown>),
  };
}
