import { type KafkaConnection, type OutgoingRecord, Sender } from '@repo/messaging';
import type { SendEvent } from './commands.ts';
import type { SendAgain } from './redrive.ts';
import { Slots } from './slots.ts';

/** Sends in progress. While the broker is away a send is retried for longer than its caller waits, so they add up. */
const SENDS_MAX = 200;

/**
 * Sends the events of commands, and dead letters back to their topics. The producer is opened with the first send, so that reads work while
 * the broker is away, and opened anew after a failure.
 */
export class CommandSender implements AsyncDisposable {
  readonly #connection: KafkaConnection;
  #sender: Promise<Sender> | undefined;
  readonly #sends = new Slots(SENDS_MAX, 'too much waits for the broker; repeat the command with the same key');

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
  }

  readonly send: SendEvent = (topic, { key, value, type, traceparent }) => {
    const headers = { ce_type: type, ...(traceparent === undefined ? {} : { traceparent }) };
    return this.#sendOne(topic, {
      key,
      value,
      headers: Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]),
    });
  };

  readonly sendAgain: SendAgain = ({ topic, ...original }) => this.#sendOne(topic, original);

  async #sendOne(topic: string, record: OutgoingRecord): Promise<{ partition: number; offset: bigint }> {
    using _place = this.#sends.take();
    this.#sender ??= Sender.open(this.#connection);
    const opened = this.#sender;
    try {
      return await (await opened).sendOne(topic, record);
    } catch (error) {
      if (this.#sender === opened) this.#sender = undefined;
      await opened.then((sender) => sender[Symbol.asyncDispose]()).catch(() => undefined);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = this.#sender;
    this.#sender = undefined;
    await (await opened?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}
