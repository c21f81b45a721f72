import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  COMMAND_BODIES,
  COMMAND_KEY,
  type CommandType,
  DECODE_LIMITS,
  decodeClaims,
  decodeMembers,
  type Topics,
} from '@repo/contracts';
import { formatInstant, type Instant } from '@repo/domain';
import { findDeadSince, findEvent, findProgress, type Ledger } from '@repo/ledger';
import { partitionForKey } from '@repo/messaging';
import { contentHash, readNote } from '@repo/shard-worker';
import type { FastifyRequest } from 'fastify';
import { fieldsOf, malformed } from './body.ts';
import { keyTaken, notFound, Problem } from './problem.ts';
import type { Slots } from './slots.ts';

/** Sends one event to an input topic, and answers its place there. */
export type SendEvent = (
  topic: string,
  event: {
    readonly key: string;
    readonly value: string;
    readonly type: string;
    readonly traceparent?: string | undefined;
  },
) => Promise<{ readonly partition: number; readonly offset: bigint }>;

export interface CommandDeps {
  readonly ledger: Ledger;
  readonly now: () => Instant;
  readonly futureDaysMax: number;
  readonly topics: Topics;
  readonly send: SendEvent;
  /** How long to wait for an answer before the caller is told to look later, ms. */
  readonly waitMs: number;
  readonly underWay: { readonly commands: Slots };
}

/** A requested command: the event it becomes, whom it is about, and its body. */
export interface Command {
  readonly type: CommandType;
  readonly key: string;
  /** The fields that the path and the token determine. */
  readonly fixed: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly commandId: string;
  readonly traceparent?: string | undefined;
}

/** The result: applied, with its published answer where it has one of its own; or not known yet. */
export type Performed = { readonly applied: true; readonly answer: string | null } | { readonly applied: false };

export const LOOK_EVERY_MS = 25;
/** A broker acknowledges within milliseconds; after this long, ms, the caller is told that it is away. */
export const SEND_WITHIN_MS = 10_000;

/**
 * The command's id, derived from its sender and the key that the sender chose: the same key of one sender is the same command for ever, and
 * nobody can take another sender's id. The draft of the header quotes the key; a key without quotes is the same.
 */
function commandIdOf(header: string | string[] | undefined, subject: string | null): string {
  const key = typeof header === 'string' ? header.replace(/^"(.*)"$/, '$1') : '';
  if (!COMMAND_KEY.test(key))
    throw new Problem(
      'bad-parameter',
      'idempotency-key: expected a text of 1 to 200 ASCII characters, new for each command',
    );
  return hash('sha256', JSON.stringify([subject, key]), 'base64url').slice(0, 27);
}

/** The id of the command in a request. */
export const idOf = ({ headers, access }: FastifyRequest): string =>
  commandIdOf(headers['idempotency-key'], access.subject);

/** The fields of a body that the command has. Others are ignored, as in an event. */
export function readBody(type: CommandType, body: unknown): Readonly<Record<string, unknown>> {
  const given = fieldsOf(body);
  const names = Object.keys(COMMAND_BODIES[type].shape);
  return Object.fromEntries(names.flatMap((name) => (name in given ? [[name, given[name]]] : [])));
}

/**
 * Sends a command's event, unless it was applied before, and waits up to `waitMs` for the result. Only the workers decide and write. The
 * event's id makes a repeat harmless, however often and through whichever process it is sent. Throws the problem to answer.
 */
export async function perform(command: Command, deps: CommandDeps): Promise<Performed> {
  const { topic, value, identity, content } = encode(command, deps);
  const known = await findEvent(deps.ledger, identity);
  if (known !== undefined) return standing(known, content);
  using _place = deps.underWay.commands.take();
  const partitions = await deps.ledger.countPartitions(topic);
  // Only outcomes after this one can be about the event; all can where no worker has taken the shard yet.
  const before =
    partitions === undefined
      ? undefined
      : await findProgress(deps.ledger, { topic, partition: partitionForKey(command.key, partitions) });
  const { type, key, traceparent } = command;
  const place = await inTime(deps.send(topic, { key, value, type, traceparent }));
  const end = performance.now() + deps.waitMs;
  while (performance.now() < end) {
    const found = await look({ topic, identity, content, place, afterSeq: before?.outSeq ?? 0n }, deps);
    if (found !== null) return found;
    await delay(LOOK_EVERY_MS);
  }
  return { applied: false };
}

function encode({ type, key, fixed, body, commandId }: Command, { now, futureDaysMax, topics }: CommandDeps) {
  const moment = type === 'binding.requested' ? 'bound_at' : 'at';
  const stated = body[moment] != null;
  const event = {
    ...body,
    ...fixed,
    [moment]: stated ? body[moment] : formatInstant(now()),
    command_id: commandId,
    ...(stated ? { at_stated: true } : {}),
  };
  const value = JSON.stringify(event);
  const raw = {
    key: Buffer.from(key),
    value: Buffer.from(value),
    headers: [['ce_type', Buffer.from(type)] as const],
    timestampMs: now(),
  };
  const limits = { ...DECODE_LIMITS, futureDaysMax };
  const isClaim = type === 'claim.refunded';
  const decoded = isClaim ? decodeClaims(raw, limits) : decodeMembers(raw, limits);
  if (decoded.kind === 'BAD') throw malformed(decoded.issues);
  return {
    topic: isClaim ? topics.claims : topics.members,
    value,
    identity: decoded.identity,
    content: contentHash(decoded.content),
  };
}

/** The broker may be away for longer than a caller waits. The key makes it safe to try again. */
export async function inTime<T>(sent: Promise<T>, withinMs = SEND_WITHIN_MS): Promise<T> {
  const late = new AbortController();
  try {
    return await Promise.race([
      sent,
      delay(withinMs, undefined, { signal: late.signal }).then(() => {
        throw new Problem('command-not-sent', 'the command could not be sent in time; repeat it with the same key');
      }),
    ]);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('command-not-sent', 'the command could not be sent; repeat it with the same key');
  } finally {
    late.abort();
    sent.catch(() => undefined);
  }
}

interface Sent {
  readonly topic: string;
  readonly identity: string;
  readonly content: Buffer;
  readonly place: { readonly partition: number; readonly offset: bigint };
  readonly afterSeq: bigint;
}

/** What the shard made of the event; null while it has not reached it, or holds it for later. */
async function look(
  { topic, identity, content, place, afterSeq }: Sent,
  { ledger }: CommandDeps,
): Promise<Performed | null> {
  const shard = { topic, partition: place.partition };
  const progress = await findProgress(ledger, shard);
  if (progress === undefined || progress.nextOffset <= place.offset) return null;
  const known = await findEvent(ledger, identity);
  if (known !== undefined) return standing(known, content);
  const dead = (await findDeadSince(ledger, shard, afterSeq)).map(readNote);
  const ours = dead.find(({ offset }) => offset === String(place.offset));
  if (ours === undefined) return null;
  throw refusal(ours.code);
}

function standing(
  { contentHash: taken, answer }: { contentHash: Buffer; answer: string | null },
  content: Buffer,
): Performed {
  if (!taken.equals(content)) throw refusal('EVENT_CONFLICT');
  return { applied: true, answer };
}

/** The problem by which the sender learns that a worker made the command a dead letter. */
function refusal(code: string): Problem {
  switch (code) {
    case 'EVENT_CONFLICT':
      return keyTaken();
    case 'TRANSITION_NOT_ALLOWED':
      return new Problem('state-not-allowed', 'expected a binding in a state that allows this', { code });
    case 'BINDING_UNKNOWN':
      return notFound('binding');
    case 'PERSON_UNKNOWN':
      return new Problem('unknown-person', 'payer: expected a person who is known', { code });
    default:
      return new Problem('command-refused', 'the command cannot be carried out', { code });
  }
}
