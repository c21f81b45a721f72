import { setTimeout as delay } from 'node:timers/promises';
import {
  findHeld,
  findQuarantines,
  type HeldPlace,
  type Ledger,
  leaveOrder,
  type OrderState,
  type Quarantine,
  readOrder,
} from '@repo/ledger';
import { type Filter, placeName, topicOf } from './asked.ts';
import { factsOf, idsOf, type MessageFacts, printable } from './facts.ts';

/** A quarantined key as it is listed, without the key. */
export interface ListedQuarantine {
  /** Of its first held message, which `release` takes. */
  readonly place: string;
  readonly since: string;
  readonly messages: number;
  readonly bytes: number;
  /** The held message, or work (at an offset below 0), that the worker failed on, and what it met: class, code and nearest line of the code. */
  readonly failed: string | null;
  readonly failure: string | null;
  readonly ordered: Quarantine['ordered'];
}

/** A held message as it is listed, without key and value. */
export interface ListedMessage extends MessageFacts {
  readonly place: string;
  readonly at: string;
  readonly heldAt: string;
  readonly failure: string | null;
}

const PAGE = 200;

/** The quarantined keys that are looked for; with an id, those that hold a message with it. */
export async function quarantinesFor(ledger: Ledger, prefix: string, filter: Filter): Promise<Quarantine[]> {
  const { topic, id, code: _, ...rest } = filter;
  const found = await findQuarantines(ledger, { ...rest, topic: topic && topicOf(prefix, topic) });
  if (id === undefined) return found;
  const having: Quarantine[] = [];
  for (const quarantine of found) {
    for await (const message of heldOf(ledger, quarantine)) {
      if (!idsOf(message).has(id)) continue;
      having.push(quarantine);
      break;
    }
  }
  return having;
}

/** Every held message of a key, in order, a page at a time. */
export async function* heldOf(ledger: Ledger, place: HeldPlace) {
  let after: bigint | undefined;
  for (;;) {
    const page = await findHeld(ledger, place, { ...(after !== undefined && { after }), limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return;
    after = last.offset;
  }
}

export type Held = Awaited<ReturnType<typeof findHeld>>[number];

export function listed(prefix: string, quarantine: Quarantine): ListedQuarantine {
  const { topic, partition, offset, since, messages, bytes, failedOffset, failure, ordered } = quarantine;
  return {
    place: placeName(prefix, topic, partition, offset),
    since: since.toISOString(),
    ...{ messages, bytes },
    failed: failedOffset === null ? null : placeName(prefix, topic, partition, failedOffset),
    failure: failure === null ? null : printable(failure),
    ordered,
  };
}

export const listedMessage = (prefix: string, { topic, partition }: HeldPlace, message: Held): ListedMessage => ({
  place: placeName(prefix, topic, partition, message.offset),
  at: new Date(message.timestampMs).toISOString(),
  heldAt: message.heldAt.toISOString(),
  failure: message.failure === null ? null : printable(message.failure),
  ...factsOf(message),
});

/** An order that was left, and how far it has come. */
export interface Ordered extends OrderState {
  readonly place: string;
  readonly orderId: bigint;
  readonly partition: number;
}

type Order = Parameters<typeof leaveOrder>[2];

export async function order(ledger: Ledger, prefix: string, place: HeldPlace, what: Order): Promise<Ordered> {
  const orderId = await leaveOrder(ledger, place, what);
  const { topic, partition, offset } = place;
  return { place: placeName(prefix, topic, partition, offset), orderId, partition, messages: 0, result: null };
}

const STALL_MS = 60_000;
const POLL_MS = 200;

/** Waits until the shards' owners have carried out these orders; those that have moved for a minute no more are answered as they are. */
export async function waitFor(
  ledger: Ledger,
  orders: readonly Ordered[],
  onProgress: (messages: number) => void,
): Promise<Ordered[]> {
  let states = [...orders];
  let moved = { at: performance.now(), messages: -1 };
  for (;;) {
    states = await Promise.all(
      states.map(async (state) => ({ ...state, ...(await readOrder(ledger, state.partition, state.orderId)) })),
    );
    const messages = states.reduce((sum, state) => sum + state.messages, 0);
    onProgress(messages);
    if (states.every(({ result }) => result !== null)) return states;
    if (messages !== moved.messages) moved = { at: performance.now(), messages };
    if (performance.now() - moved.at > STALL_MS) return states;
    await delay(POLL_MS);
  }
}
