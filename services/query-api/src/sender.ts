import { type KafkaConnection, Sender } from '@repo/messaging';
import type { SendEvent } from './commands.ts';

/**
 * Sends commands' events. The producer is opened with the first of them, so that reads are answered while the broker is away, and opened
 * anew after a failure.
 */
export class CommandSender implements AsyncDisposable {
  readonly #connection: KafkaConnection;
  #sender: Promise<Sender> | undefined;

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
  }

  readonly send: SendEvent = async (topic, { key, value, type, traceparent }) => {
    this.#sender ??= Sender.open(this.#connection);
    const opened = this.#sender;
    try {
      const headers = { ce_type: type, ...(traceparent === undefined ? {} : { traceparent }) };
      return await (await opened).sendOne(topic, {
        key,
        value,
        headers: Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]),
      });
    } catch (error) {
      if (this.#sender === opened) this.#sender = undefined;
      await opened.then((sender) => sender[Symbol.asyncDispose]()).catch(() => undefined);
      throw error;
    }
  };

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = this.#sender;
    this.#sender = undefined;
    await (await opened?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}
