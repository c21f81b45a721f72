import { heldSize, type LedgerTransaction } from '@repo/ledger';
import { HaltError, type InputRecord, type Lease } from '@repo/messaging';

/** Held behind keys that nobody has looked at: so much of a shard, and it waits for a person instead of for the disk to fill. */
export const HELD_MAX = { messages: 100_000, bytes: 256 << 20 } as const;
type Size = { readonly messages: number; readonly bytes: number };

/**
 * Sees that no shard holds too much, without counting what is held for every batch. Under one epoch a shard's owner alone adds to it, so
 * what was counted once and all that was to be added since is at least what is held: attempts that came to nothing and what was let go
 * only make it more. Where that comes to the limit it is counted again. A new epoch, after a restart or of another owner, counts first.
 */
export class HeldRoom {
  readonly #max: Size;
  readonly #atMost = new Map<string, Size & { readonly epoch: bigint }>();

  constructor(max: Size = HELD_MAX) {
    this.#max = max;
  }

  /** Takes room for messages, in a transaction that has locked the shard. Throws what halts it where they would be too many. */
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

/** However a message is stored, in base64 too, it takes no more than twice its bytes, and some. */
function storedAtMost({ value, headers }: Pick<InputRecord, 'value' | 'headers'>): number {
  const ofHeaders = headers.reduce((sum, [name, bytes]) => sum + name.length + bytes.length, 0);
  return 2 * ((value?.length ?? 0) + ofHeaders) + 1_024;
}
