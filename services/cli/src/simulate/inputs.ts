import { DECODE_LIMITS, decodeClaims, decodeMembers, topicsOf } from '@repo/contracts';
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

/** Everything on the two input topics that can be read, each shard in its order. What cannot be read has settled nothing. */
export async function readInputs(options: {
  readonly connection: KafkaConnection;
  readonly topicPrefix: string;
  readonly onProgress: (share: number) => void;
}): Promise<Map<string, LoggedInput[]>> {
  const { connection, topicPrefix, onProgress } = options;
  const { claims, members } = topicsOf(topicPrefix);
  const shards = new Map<string, LoggedInput[]>();
  await readToEnd({
    connection,
    topics: [claims, members],
    onProgress,
    onRecords: (records) => {
      for (const record of records) {
        const decoded = (record.topic === claims ? decodeClaims : decodeMembers)(record, DECODE_LIMITS);
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

/** Names the postings of an input as the ledger's entries name them: by kind and reference, of a member also by the person. */
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

/** The postings of each account, in their order, by the keys of the inputs they came from. */
export type AccountOrder = ReadonlyMap<string, readonly string[]>;

/**
 * Puts the inputs of all shards in the order of their postings: each shard's own order, and each account's entries in the order of their
 * versions. Where neither says which of two came first, the one that was sent first does.
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
    // A repeat, and what posted nothing, waits for nobody.
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
