import { type DecodeLimits, decodeClaims, decodeMembers, topicsOf } from '@repo/contracts';
import { type KafkaConnection, readToEnd } from '@repo/messaging';
import type { Input } from './world.ts';

/** An input as its topic holds it. */
export interface LoggedInput {
  readonly input: Input;
  /** The topic and partition whose order it keeps. */
  readonly shard: string;
  readonly offset: bigint;
  readonly cameMs: number;
}

/** Reads every readable record of the two input topics, each shard in its order. An unreadable one has settled nothing. */
export async function readInputs(options: {
  readonly connection: KafkaConnection;
  readonly topicPrefix: string;
  readonly limits: DecodeLimits;
  readonly onProgress: (share: number) => void;
}): Promise<Map<string, LoggedInput[]>> {
  const { connection, topicPrefix, limits, onProgress } = options;
  const { claims, members } = topicsOf(topicPrefix);
  const shards = new Map<string, LoggedInput[]>();
  await readToEnd({
    connection,
    topics: [claims, members],
    onProgress,
    onRecords: (records) => {
      for (const record of records) {
        const decoded = (record.topic === claims ? decodeClaims : decodeMembers)(record, limits);
        if (decoded.kind === 'BAD') continue;
        const { content: _, ...input } = decoded;
        const shard = `${record.topic} ${record.partition}`;
        const queue = shards.get(shard) ?? [];
        shards.set(shard, queue);
        queue.push({ input, shard, offset: record.offset, cameMs: record.timestampMs });
      }
    },
  });
  return shards;
}

/** The key of an input's postings: entry kind and reference, for member events also the person. Null for an input that posts nothing. */
export function postingKey(input: Input): string | null {
  switch (input.kind) {
    case 'CLAIM':
      return `CLAIM ${input.claim.claimId}`;
    case 'PREMIUM':
      return `PREMIUM ${input.premium.premiumId}`;
    case 'REFUND':
      return `REFUND ${input.refund.refundId}`;
    case 'ARREARS_CHECK':
      return null;
    case 'MEMBER': {
      const { event } = input;
      if (event.kind === 'ACCOUNT_OPENED') return `OPENING ${event.person.personNo}`;
      if (event.kind === 'REFUND_PAID') return `PAYOUT ${event.refundId} ${event.personNo}`;
      const isCredit = event.kind === 'ACCOUNT_CREDITED' || event.kind === 'CONTRIBUTION_PAID';
      return isCredit ? `CREDIT ${event.reference} ${event.personNo}` : null;
    }
    default:
      return input satisfies never;
  }
}

/** For each account, the keys (`postingKey`) of the inputs that posted to it, in order. */
export type AccountOrder = ReadonlyMap<string, readonly string[]>;

/**
 * Puts the inputs of all shards in one order that keeps each shard's order and, on each account, the order of the ledger's entries. Where
 * neither decides between two inputs, the one sent first comes first.
 */
export function* inPostingOrder(
  shards: ReadonlyMap<string, readonly LoggedInput[]>,
  accounts: AccountOrder,
): Generator<LoggedInput, void> {
  const accountsOf = new Map<string, string[]>();
  for (const [account, keys] of accounts)
    for (const key of new Set(keys)) accountsOf.set(key, [...(accountsOf.get(key) ?? []), account]);
  const places = new Map<string, number>();
  const queues = [...shards.values()].map((inputs) => ({ inputs, at: 0 }));
  const seen = new Set<string>();
  const isNext = ({ input }: LoggedInput): boolean => {
    const key = postingKey(input);
    // A repeat, or an input that posted nothing, waits for no other.
    if (key === null || seen.has(key)) return true;
    return (accountsOf.get(key) ?? []).every((account) => accounts.get(account)?.[places.get(account) ?? 0] === key);
  };
  for (;;) {
    const heads = queues.flatMap((queue) => {
      const head = queue.inputs[queue.at];
      return head === undefined ? [] : [{ queue, head }];
    });
    if (heads.length === 0) return;
    heads.sort((a, b) => a.head.cameMs - b.head.cameMs);
    const next = heads.find(({ head }) => isNext(head)) ?? heads[0];
    if (next === undefined) return;
    next.queue.at += 1;
    const key = postingKey(next.head.input);
    if (key !== null && !seen.has(key)) {
      seen.add(key);
      for (const account of accountsOf.get(key) ?? []) {
        let place = places.get(account) ?? 0;
        while (accounts.get(account)?.[place] === key) place += 1;
        places.set(account, place);
      }
    }
    yield next.head;
  }
}
