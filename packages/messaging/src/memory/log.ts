import { type InputLog, type InputRecord, type ShardHandler, waiting } from '../port.ts';
import { Sessions } from '../sessions.ts';
import type { MemoryBroker } from './broker.ts';
import type { MemoryProcess, World } from './world.ts';

const SESSION_TIMEOUT_MS = 400;
const POLL_MS = 5;
const FETCH_MAX = 40;

/**
 * A group coordinator that is harsher than Kafka's: it reassigns partitions at once, without waiting for the old owner to let go, and
 * counts a member as gone after a short silence. A slow member therefore becomes a zombie.
 */
export class MemoryGroup {
  readonly #world: World;
  readonly #partitions: number;
  readonly #lastHeard = new Map<string, number>();
  generation = 0;

  constructor(world: World, partitions: number) {
    this.#world = world;
    this.#partitions = partitions;
  }

  /** A member's heartbeat; answers the generation and the partitions assigned to this member in it. */
  poll(member: string): { generation: number; partitions: number[] } {
    const isNew = !this.#lastHeard.has(member);
    this.#lastHeard.set(member, this.#world.now);
    const gone = [...this.#lastHeard].filter(([, heard]) => this.#world.now - heard > SESSION_TIMEOUT_MS);
    for (const [name] of gone) this.#lastHeard.delete(name);
    if (isNew || gone.length > 0) this.generation += 1;
    const members = [...this.#lastHeard.keys()].sort();
    const mine = members.indexOf(member);
    const partitions = Array.from({ length: this.#partitions }, (_, partition) => partition);
    return {
      generation: this.generation,
      partitions: partitions.filter((partition) => (partition + this.generation) % members.length === mine),
    };
  }

  leave(member: string): void {
    if (this.#lastHeard.delete(member)) this.generation += 1;
  }
}

/** A member of the simulated group, as the processor's port. */
export class MemoryLog implements InputLog {
  readonly #process: MemoryProcess;
  readonly #broker: MemoryBroker;
  readonly #group: MemoryGroup;
  readonly #reading = new Map<number, bigint>();
  #sessions: Sessions | undefined;
  #generation = -1;

  constructor(process: MemoryProcess, broker: MemoryBroker, group: MemoryGroup) {
    this.#process = process;
    this.#broker = broker;
    this.#group = group;
  }

  async run(handler: ShardHandler): Promise<void> {
    const reader = {
      start: (partition: number, offset: bigint) => void this.#reading.set(partition, offset),
      stop: (partition: number) => void this.#reading.delete(partition),
      bounds: (partition: number) => this.#process.call(() => this.#broker.bounds(partition)),
    };
    this.#sessions = new Sessions(handler, reader, this.#process.clock, this.#process.world.random);
    void this.#poll(this.#sessions);
  }

  async stop(): Promise<void> {
    const sessions = this.#sessions;
    this.#sessions = undefined;
    await sessions?.close();
    this.#group.leave(this.#process.name);
  }

  async #poll(sessions: Sessions): Promise<void> {
    while (this.#sessions === sessions) {
      const asked = [...this.#reading];
      const answer = await this.#process
        .call(() => ({
          ...this.#group.poll(this.#process.name),
          fetched: asked.map(([partition, from]) => ({
            partition,
            from,
            ...this.#broker.fetch(partition, from, FETCH_MAX),
          })),
        }))
        .catch(() => undefined);
      if (answer !== undefined && answer.generation !== this.#generation && this.#sessions === sessions) {
        this.#generation = answer.generation;
        sessions.assign(answer.partitions);
      }
      for (const fetched of answer?.fetched ?? []) this.#deliver(sessions, fetched);
      await new Promise<void>((resolve) => void this.#process.clock.after(POLL_MS, resolve));
    }
  }

  #deliver(
    sessions: Sessions,
    fetched: Omit<Parameters<Sessions['deliver']>[0], 'records'> & { records: InputRecord[] },
  ): void {
    // A fetch that was under way while the partition was stopped or moved is not delivered, as in any client.
    if (this.#reading.get(fetched.partition) !== fetched.from || fetched.next === fetched.from) return;
    this.#reading.set(fetched.partition, fetched.next);
    if (fetched.records.length === 0) sessions.skipTo(fetched);
    else sessions.deliver({ ...fetched, records: fetched.records.map(waiting) });
  }
}
