import type { PartitionBounds } from '@repo/messaging';

/** Brokers delete whole segments of a log, hours or days apart, so asking again sooner, ms, tells nothing new. */
const ASK_AGAIN_MS = 5_000;

/**
 * Where the partitions of the output topics begin now: retention deletes their first records, even while they are being read. Partitions
 * are named `topic/partition`.
 */
export class LogStarts {
  readonly #ask: () => Promise<readonly PartitionBounds[]>;
  #bounds: ReadonlyMap<string, PartitionBounds> = new Map();
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(ask: () => Promise<readonly PartitionBounds[]>) {
    this.#ask = ask;
  }

  async ask(): Promise<void> {
    const found = await this.#ask();
    this.#bounds = new Map(found.map((bounds) => [`${bounds.topic}/${bounds.partition}`, bounds]));
    this.#askedMs = performance.now();
  }

  /** Whether records from this offset on were deleted. */
  async isAfter(place: string, offset: bigint): Promise<boolean> {
    const isKnown = (): boolean => (this.#bounds.get(place)?.low ?? 0n) > offset;
    if (!isKnown() && performance.now() - this.#askedMs > ASK_AGAIN_MS) await this.ask();
    return isKnown();
  }

  /** Whether the partition was empty, but not new, when last asked. */
  isEmptied(place: string): boolean {
    const { low = 0n, high = 0n } = this.#bounds.get(place) ?? {};
    return low > 0n && low === high;
  }
}
