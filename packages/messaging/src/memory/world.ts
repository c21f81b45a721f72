import { mulberry32 } from '@repo/seeded';
import type { Clock } from '../clock.ts';

/** A lost connection, as the simulated network reports it: the outcome of the request is unknown. */
export class ConnectionLost extends Error {
  constructor() {
    super('connection lost');
    this.name = 'ConnectionLost';
  }
}

interface Event {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Virtual time and chance for a whole simulated system, from one seed: the same seed gives the same history. */
export class World {
  now = 0;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Chance that a request or its answer is lost, while faults are on. */
  faultRate = 0;
  #order = 0;
  /** A binary heap by time, then by order of scheduling. */
  readonly #events: Event[] = [];

  constructor(seed: number) {
    this.random = mulberry32(seed);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  between(low: number, high: number): number {
    return low + this.random() * (high - low);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.random() * items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  /** Calls `run` after `delayMs` of virtual time; the answer cancels it. */
  after(delayMs: number, run: () => void): () => void {
    const event: Event = { at: this.now + Math.max(0, delayMs), order: this.#order++, run };
    this.#push(event);
    return () => {
      event.run = undefined;
    };
  }

  /** Lets time pass until `done` holds (true), or until `untilMs`, or until nothing is left to happen (false). */
  async run(done: () => boolean, untilMs: number): Promise<boolean> {
    // Lets all continuations that need no waiting run before virtual time moves on.
    const rest = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
    await rest();
    while (!done()) {
      if ((this.#events[0]?.at ?? Number.POSITIVE_INFINITY) > untilMs) return false;
      const event = this.#pop();
      if (event?.run === undefined) continue;
      this.now = event.at;
      event.run();
      await rest();
    }
    return true;
  }

  #push(event: Event): void {
    const heap = this.#events;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isBefore(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#events;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || last === first) return first;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let child = heap[left];
      if (child === undefined) break;
      let at = left;
      const other = heap[right];
      if (other !== undefined && isBefore(other, child)) {
        child = other;
        at = right;
      }
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = at;
    }
    heap[index] = last;
    return first;
  }
}

const isBefore = (left: Event, right: Event): boolean =>
  left.at < right.at || (left.at === right.at && left.order < right.order);

/**
 * A simulated operating-system process. Whatever it awaits goes through `call` or `clock`, so that it can be killed or stopped at
 * any of these points; what it sent before may still arrive.
 */
export class MemoryProcess {
  readonly name: string;
  readonly world: World;
  #state: 'running' | 'stopped' | 'dead' = 'running';
  #held: Array<() => void> = [];

  constructor(name: string, world: World) {
    this.name = name;
    this.world = world;
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  readonly clock: Clock = {
    now: () => this.world.now,
    after: (ms, callback) => this.world.after(ms, () => this.#deliver(callback)),
  };

  /** SIGKILL. */
  kill(): void {
    this.#state = 'dead';
    this.#held = [];
  }

  /** SIGSTOP: nothing of it runs until `continue`. */
  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped';
  }

  /** SIGCONT: it goes on as if no time had passed. */
  continue(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'running';
    for (const step of this.#held.splice(0)) this.world.after(0, () => this.#deliver(step));
  }

  /** A request over the network: it may be lost, come late, or go unanswered. */
  call<T>(serve: () => T | Promise<T>): Promise<T> {
    const { world } = this;
    return new Promise<T>((resolve, reject) => {
      const lost = world.chance(world.faultRate);
      const kind = lost ? world.pick(['unsent', 'unanswered', 'late'] as const) : 'answered';
      const answer = (act: () => void): void => void world.after(world.between(0.1, 2), () => this.#deliver(act));
      if (kind === 'unsent') return answer(() => reject(new ConnectionLost()));
      if (kind === 'late') answer(() => reject(new ConnectionLost()));
      world.after(kind === 'late' ? world.between(2, 300) : world.between(0.1, 2), () => {
        // A killed process may not have flushed its last request: half of the time it is lost.
        if (this.isDead && world.chance(0.5)) return;
        const served = Promise.resolve().then(serve);
        if (kind === 'late') return void served.catch(() => {});
        served.then(
          (value) => answer(() => (kind === 'unanswered' ? reject(new ConnectionLost()) : resolve(value))),
          (error) => answer(() => reject(kind === 'unanswered' ? new ConnectionLost() : error)),
        );
      });
    });
  }

  #deliver(step: () => void): void {
    if (this.#state === 'running') step();
    else if (this.#state === 'stopped') this.#held.push(step);
  }
}
