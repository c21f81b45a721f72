import type { InputProgress, Lease } from '@repo/messaging';

/** A moment in a shard's tenure and the end of its log at that moment; undefined until the broker has answered. */
interface Mark {
  readonly epoch: bigint;
  readonly at: number;
  end?: bigint;
}

/**
 * Tells up to which past moment a shard has applied everything that its log held. A refund whose claim did not come in time may expire only
 * by this, not by the clock alone: the claim may have been sent long ago and still be unread in the log.
 */
export class ReadThrough {
  /** By the shard's partition. */
  readonly #asked = new Map<number, Mark>();
  readonly #reached = new Map<number, Mark>();

  /**
   * How many ms ago the log held nothing that is still unapplied; null = not known yet. Each call moves on to a later moment where it can.
   */
  agoMs({ shard: { partition }, epoch }: Lease, input: InputProgress): number | null {
    const asked = this.#asked.get(partition);
    if (asked?.epoch !== epoch) this.#ask(partition, epoch, input);
    else if (asked.end !== undefined && input.isApplied(asked.end)) {
      this.#reached.set(partition, asked);
      this.#ask(partition, epoch, input);
    }
    const reached = this.#reached.get(partition);
    return reached?.epoch === epoch ? performance.now() - reached.at : null;
  }

  #ask(partition: number, epoch: bigint, input: InputProgress): void {
    const mark: Mark = { epoch, at: performance.now() };
    this.#asked.set(partition, mark);
    input.end().then(
      (end) => {
        mark.end = end;
      },
      () => {
        // The broker cannot be reached; the next call asks again.
        if (this.#asked.get(partition) === mark) this.#asked.delete(partition);
      },
    );
  }
}
