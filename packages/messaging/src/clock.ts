/** Time as the processor needs it: for pauses and measurements, never for a business decision. */
export interface Clock {
  /** Milliseconds from a fixed, unknown beginning. */
  now(): number;
  /** Calls back once after `ms`; the answer cancels. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Lets one loop sleep until it is woken or a time has passed. A wake that comes before the wait is not lost. */
export class Alarm {
  readonly #clock: Clock;
  #rung = false;
  #resolve: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#resolve?.();
  }

  /** Resolves when rung, or after `ms`. */
  async wait(ms: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(ms, resolve);
        this.#resolve = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#resolve = undefined;
    this.#rung = false;
  }
}
