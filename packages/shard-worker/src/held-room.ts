import { heldSize, type LedgerTransaction } from '@repo/ledger';
import { HaltError, type InputRecord, type Lease } from '@repo/messaging';

/** What a shard may hold before it halts: keys that nobody looks at must not fill the disk. Bytes as stored. */
export const HELD_MAX = { messages: 100_000, bytes: 256 << 20 } as const;
type Size = { readonly messages: number; readonly bytes: number };

/**
 * Limits what a shard holds, without counting it for every batch. Under one epoch only the shard's owner adds to it, so the last count plus
 * everything added since is an upper bound: failed attempts and released messages only make it too high. When that bound reaches the limit
 * the rows are counted again; so they are under a new epoch, after a restart or a change of owner.
 */
export class HeldRoom {
  readonly #max: Size;
  readonly #atMost = new Map<string, Size & { readonly epoch: bigint }>();

  constructor(max: Size = HELD_MAX) {
    this.#max = max;
  }

  /** Reserves room for messages, in a transaction that has locked the shard. Throws a `HaltError` where they would be too many. */
  async take(
    tx: LedgerTransaction,
    { shard, epoch }: Pick<Lease, 'shard' | 'epoch'>,
    more: readonly Pick<InputRecord, 'value' | 'headers'>[],
  ): Promise<void> {
    const place = `${shard.topic}/${shard.partition}`;
    let size: Size | undefined = this.#atMost.get(place);
    if (this.#atMost.get(place)?.epoch !== epoch || size === undefined || !this.#fits(size, more.length)) {
      size = await heldSize(tx, shard);
      if (!this.#fits(size, more.length)) {
        const { messages, bytes } = size;
        throw new HaltError('quarantine-full', `${messages} messages of ${bytes} bytes are held: release or drop them`);
      }
    }
    const bytes = more.reduce((sum, message) => sum + storedAtMost(message), size.bytes);
    this.#atMost.set(place, { epoch, messages: size.messages + more.length, bytes });
  }

  #fits({ messages, bytes }: Size, more: number): boolean {
    return messages + more <= this.#max.messages && bytes <= this.#max.bytes;
  }
}

/** An upper bound of a message's stored size: sealing and base64 at most double it, and the rest is fixed. */
function storedAtMost({ value, headers }: Pick<InputRecord, 'value' | 'headers'>): number {
  const ofHeaders = headers.reduce((sum, [name, bytes]) => sum + name.length + bytes.length, 0);
  return 2 * ((value?.length ?? 0) + ofHeaders) + 1_024;
}
