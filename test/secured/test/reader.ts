import type { LogSession, ShardHandler, WaitingRecord } from '@repo/messaging';

/** Reads an input topic from its start, as a worker does, and applies nothing. */
export class Reader implements ShardHandler {
  readonly #onValue: (value: string) => void;

  constructor(onValue: (value: string) => void) {
    this.#onValue = onValue;
  }

  async acquire(_partition: number, session: LogSession): Promise<bigint> {
    return (await session.bounds()).start;
  }

  apply(_partition: number, batch: readonly WaitingRecord[]): null {
    for (const record of batch) this.#onValue(String(record.read().value));
    return null;
  }

  async release(): Promise<void> {}
}
