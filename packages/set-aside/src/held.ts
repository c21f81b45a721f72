import { setTimeout as delay } from 'node:timers/promises';
import {
  findHeld,
  findQuarantines,
  type HeldPlace,
  leaveOrder,
  type NewOrder,
  type OrderState,
  type Quarantine,
  type RowSource,
  readOrder,
} from '@repo/ledger';
import { type Envelopes, type Opened, openIfPossible } from '@repo/sealing';
import { factsOf, idsOf, type MessageFacts, printable } from './facts.ts';
import { type Filter, placeName, topicOf } from './place.ts';

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
export async function quarantinesFor(
  source: RowSource,
  prefix: string,
  filter: Filter,
  envelopes: Envelopes | null,
): Promise<Quarantine[]> {
  const { topic, id, code: _, ...rest } = filter;
  const found = await findQuarantines(source, { ...rest, topic: topic && topicOf(prefix, topic) });
  if (id === undefined) return found;
  const having: Quarantine[] = [];
  for (const quarantine of found) {
    for await (const message of heldOf(source, quarantine, envelopes)) {
      if (!idsOf(message).has(id)) continue;
      having.push(quarantine);
      break;
    }
  }
  return having;
}

/** A held message, opened where a key at hand does. */
export type Held = Omit<Stored, 'content'> & Opened;
type Stored = Awaited<ReturnType<typeof findHeld>>[number];

/** Opens held messages of a key, in their order. */
export const openHeld = (
  { topic, partition }: HeldPlace,
  stored: readonly Stored[],
  envelopes: Envelopes | null,
): Held[] =>
  stored.map(({ content, ...rest }) => ({
    ...rest,
    ...openIfPossible(envelopes, { topic, partition, offset: rest.offset }, content),
  }));

/** Every held message of a key, in order, a page at a time. */
export async function* heldOf(source: RowSource, place: HeldPlace, envelopes: Envelopes | null) {
  let after: bigint | undefined;
  for (;;) {
    const page = await findHeld(source, place, { ...(after !== undefined && { after }), limit: PAGE });
    yield* openHeld(place, page, envelopes);
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return;
    after = last.offset;
  }
}

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

/** Leaves an order. Throws `OrderNameTaken` where its name was given to another one. */
export async function order(source: RowSource, prefix: string, place: HeldPlace, what: NewOrder): Promise<Ordered> {
  const orderId = await leaveOrder(source, place, what);
  const { topic, partition, offset } = place;
  return { place: placeName(prefix, topic, partition, offset), orderId, partition, messages: 0, result: null };
}

/** An order that has not moved for so long is not carried out for now. */
export const ORDER_STALL_MS = 60_000;
const POLL_MS = 200;

/** Waits until the shards' owners have carried out these orders; where none has moved for `stallMs`, they are answered as they are. */
export async function waitFor(
  source: RowSource,
  orders: readonly Ordered[],
  onProgress: (messages: number) => void,
  stallMs = ORDER_STALL_MS,
): Promise<Ordered[]> {
  let states = [...orders];
  let moved = { at: performance.now(), messages: -1 };
  for (;;) {
    states = await Promise.all(
      states.map(async (state) => ({ ...state, ...(await readOrder(source, state.partition, state.orderId)) })),
    );
    const messages = states.reduce((sum, state) => sum + state.messages, 0);
    onProgress(messages);
    if (states.every(({ result }) => result !== null)) return states;
    if (messages !== moved.messages) moved = { at: performance.now(), messages };
    if (performance.now() - moved.at > stallMs) return states;
    await delay(POLL_MS);
  }
}
