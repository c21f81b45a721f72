import { FencedError } from '../errors.ts';
import type { Failpoint } from '../options.ts';
import type { OutboxRow, Publisher } from '../port.ts';
import type { MemoryBroker } from './broker.ts';
import type { MemoryProcess } from './world.ts';

/** Deliberate protocol violations, so that tests can prove that the crash campaign would notice them. */
export interface PublisherFlaws {
  /** `recover` answers what the process last knew instead of asking. */
  readonly breakPositionRead?: boolean;
  /** `recover` reads the position without fencing first. */
  readonly breakFence?: boolean;
  /** The position is not part of the transaction. */
  readonly breakPositionWrite?: boolean;
}

interface Producer {
  epoch: number;
  isUsable: boolean;
  position: bigint;
}

/** A process's connection to the broker, as the processor's port. */
export class MemoryPublisher implements Publisher {
  readonly #process: MemoryProcess;
  readonly #broker: MemoryBroker;
  readonly #flaws: PublisherFlaws;
  readonly #failpoint: (name: Failpoint) => void | Promise<void>;
  readonly #producers = new Map<number, Producer>();

  constructor(
    process: MemoryProcess,
    broker: MemoryBroker,
    flaws: PublisherFlaws = {},
    failpoint: (name: Failpoint) => void | Promise<void> = () => {},
  ) {
    this.#process = process;
    this.#broker = broker;
    this.#flaws = flaws;
    this.#failpoint = failpoint;
  }

  async recover(partition: number): Promise<bigint> {
    const known = this.#producers.get(partition);
    this.#producers.delete(partition);
    const id = idOf(partition);
    const epoch =
      this.#flaws.breakFence && known !== undefined
        ? known.epoch
        : await this.#process.call(() => this.#broker.initProducer(id));
    const position = this.#flaws.breakPositionRead
      ? (known?.position ?? 0n)
      : await this.#process.call(() => this.#broker.position(partition));
    this.#producers.set(partition, { epoch, isUsable: true, position });
    return position;
  }

  async publish(partition: number, rows: readonly OutboxRow[]): Promise<bigint> {
    const position = rows.at(-1)?.seq ?? 0n;
    await this.#transact(partition, rows, position);
    return position;
  }

  refresh(partition: number, position: bigint): Promise<void> {
    return this.#transact(partition, [], position);
  }

  async release(partition: number): Promise<void> {
    this.#producers.delete(partition);
  }

  async #transact(partition: number, rows: readonly OutboxRow[], position: bigint): Promise<void> {
    const producer = this.#producers.get(partition);
    if (producer?.isUsable !== true) throw new FencedError();
    producer.isUsable = false;
    const id = idOf(partition);
    const { epoch } = producer;
    if (rows.length > 0) await this.#process.call(() => this.#broker.produce(id, epoch, rows));
    await this.#failpoint('after-send');
    if (!this.#flaws.breakPositionWrite) {
      await this.#process.call(() => this.#broker.sendPosition(id, epoch, partition, position));
    }
    await this.#failpoint('before-endtxn');
    await this.#process.call(() => this.#broker.endTransaction(id, epoch));
    await this.#failpoint('after-endtxn');
    producer.isUsable = true;
    producer.position = position;
  }
}

const idOf = (partition: number): string => `worker-input-${partition}`;
