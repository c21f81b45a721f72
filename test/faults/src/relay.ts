import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { HOST } from '@repo/embedded';

/** One client's connection and ours to the server in its name. */
interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** The server has lost the connection and the client was not told: what it writes goes nowhere. */
  isForgotten: boolean;
}

/**
 * A network of our own between clients and one server: bytes go through in order, late, not at all for a while, or never again. It
 * knows nothing of what they mean.
 */
export class Relay implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Set<Pair>();
  #isSilent = false;
  #delayMs = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (near) => this.#take(near));
  }

  /** Listens on one port of 127.0.0.1 and leads to another, where the server may listen only later. */
  static async open({ port, target }: { readonly port: number; readonly target: number }): Promise<Relay> {
    const relay = new Relay(target);
    await new Promise<void>((resolve, reject) => {
      relay.#server.once('error', reject);
      relay.#server.listen(port, HOST, resolve);
    });
    return relay;
  }

  /** Delivers nothing either way, and answers no new connection, until `heal`; then all of it, as a network does that was away. */
  silence(): void {
    this.#isSilent = true;
    for (const { near, far } of this.#pairs) for (const socket of [near, far]) socket.pause();
  }

  heal(): void {
    this.#isSilent = false;
    this.#delayMs = 0;
    for (const { near, far } of this.#pairs) for (const socket of [near, far]) socket.resume();
  }

  /** Every chunk arrives so much later, in its order, until `heal`. */
  slow(ms: number): void {
    this.#delayMs = ms;
  }

  /** Ends every connection by a reset, on both sides. Answers how many there were. */
  reset(): number {
    const count = this.#pairs.size;
    for (const { near, far } of this.#pairs) for (const socket of [near, far]) socket.resetAndDestroy();
    return count;
  }

  /** The server loses every connection of now and its clients are not told; new ones work. Answers how many there were. */
  halfOpen(): number {
    const count = this.#pairs.size;
    for (const pair of this.#pairs) {
      pair.isForgotten = true;
      pair.far.resetAndDestroy();
    }
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const { near, far } of this.#pairs) for (const socket of [near, far]) socket.destroy();
    await closed;
  }

  #take(near: Socket): void {
    const far = connect({ port: this.#target, host: HOST, noDelay: true, allowHalfOpen: true });
    const pair: Pair = { near: near.setNoDelay(true), far, isForgotten: false };
    this.#pairs.add(pair);
    this.#lead(pair, near, far);
    this.#lead(pair, far, near);
    if (!this.#isSilent) near.resume();
    else far.pause();
  }

  /** Passes on what one side says, and that it has ended. */
  #lead(pair: Pair, from: Socket, to: Socket): void {
    let last = Promise.resolve();
    const inOrder = (step: () => void): void => {
      const due = performance.now() + this.#delayMs;
      last = last.then(async () => {
        const wait = due - performance.now();
        if (wait > 1) await delay(wait);
        step();
      });
    };
    from.on('data', (chunk: Buffer) => {
      if (pair.isForgotten) return;
      inOrder(() => {
        if (to.destroyed || to.write(chunk)) return;
        from.pause();
        to.once('drain', () => this.#isSilent || from.resume());
      });
    });
    from.on('end', () => inOrder(() => (pair.isForgotten ? from.destroy() : to.end())));
    from.on('error', () => pair.isForgotten || to.destroy());
    from.on('close', () => {
      if (from === pair.far && pair.isForgotten) return;
      this.#pairs.delete(pair);
      inOrder(() => to.destroy());
    });
  }
}
