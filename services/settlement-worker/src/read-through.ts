import type { InputProgress, Lease } from '@repo/messaging';

/** A moment in the tenure of a shard, and where its log ended then: undefined until the broker has said so. */
interface Mark {
  readonly epoch: bigint;
  readonly at: number;
  end?: bigint;
}

/**
 * Tells how far back in time a shard has applied all that its log held. What comes too late, a claim for whose refund nobody waits any
 * longer, is told by that and not by the clock alone: it may have been sent long ago, and lie where nobody has read yet.
 */
export class ReadThrough {
  /** By the shard's partition. */
  readonly #asked = new Map<number, Mark>();
  readonly #reached = new Map<number, Mark>();

  /** So many ms ago the log held nothing that has not been applied by now; null = not known yet. Each look asks for a later moment. */
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
        // The broker is away: asked again at the next look.
        if (this.#asked.get(partition) === mark) this.#asked.delete(partition);
      },
    );
  }
}
