import type { InputRecord, LogBounds, OutboxRow } from '../port.ts';

/** The broker's refusal of a producer that another one has replaced. */
export class ProducerFenced extends Error {
  constructor() {
    super('producer fenced');
    this.name = 'ProducerFenced';
  }
}

type Fate = 'open' | 'committed' | 'aborted';

interface OpenTransaction {
  fate: Fate;
  position: { partition: number; offset: bigint } | undefined;
}

interface Entry {
  readonly row: OutboxRow;
  readonly transaction: OpenTransaction;
}

/** A log with an input topic, output partitions, producers by transactional id and the positions they commit. */
export class MemoryBroker {
  readonly partitions: number;
  readonly #input: Array<Array<InputRecord | null>>;
  readonly #output = new Map<string, Entry[]>();
  readonly #producers = new Map<string, { epoch: number; open: OpenTransaction | undefined }>();
  readonly #positions = new Map<number, bigint>();
  #logStart = 0n;

  constructor(partitions: number) {
    this.partitions = partitions;
    this.#input = Array.from({ length: partitions }, () => []);
  }

  /** Appends one record; null = a control record, which takes an offset and is never delivered. */
  append(partition: number, value: Buffer | null, key: Buffer | null = null): void {
    const log = this.#log(partition);
    const offset = BigInt(log.length);
    log.push(value === null ? null : { offset, key, value, headers: [], timestampMs: 0 });
  }

  fetch(partition: number, from: bigint, limit: number): { records: InputRecord[]; next: bigint; end: bigint } {
    const log = this.#log(partition);
    const raw = log.slice(Number(from), Number(from) + limit);
    return {
      records: raw.filter((record) => record !== null),
      next: from + BigInt(raw.length),
      end: BigInt(log.length),
    };
  }

  bounds(partition: number): LogBounds {
    return { start: this.#logStart, end: BigInt(this.#log(partition).length), partitions: this.partitions };
  }

  /** Retention: every offset below `offset` is gone. */
  deleteBelow(offset: bigint): void {
    this.#logStart = offset;
  }

  /** The topic is recreated, empty. */
  truncate(): void {
    for (const log of this.#input) log.length = 0;
  }

  /** InitProducerId: fences earlier producers of this id and aborts what they left open. */
  initProducer(id: string): number {
    const producer = this.#producers.get(id) ?? { epoch: 0, open: undefined };
    this.#producers.set(id, producer);
    if (producer.open !== undefined) producer.open.fate = 'aborted';
    producer.open = undefined;
    producer.epoch += 1;
    return producer.epoch;
  }

  produce(id: string, epoch: number, rows: readonly OutboxRow[]): void {
    const transaction = this.#openOf(id, epoch);
    for (const row of rows) {
      const name = `${row.topic}/${row.partition}`;
      const log = this.#output.get(name) ?? [];
      this.#output.set(name, log);
      log.push({ row, transaction });
    }
  }

  sendPosition(id: string, epoch: number, partition: number, offset: bigint): void {
    this.#openOf(id, epoch).position = { partition, offset };
  }

  endTransaction(id: string, epoch: number): void {
    const transaction = this.#openOf(id, epoch);
    transaction.fate = 'committed';
    if (transaction.position !== undefined)
      this.#positions.set(transaction.position.partition, transaction.position.offset);
    const producer = this.#producers.get(id);
    if (producer !== undefined) producer.open = undefined;
  }

  position(partition: number): bigint {
    return this.#positions.get(partition) ?? 0n;
  }

  /** Simulates that the broker forgets the positions of a group without members. */
  forgetPositions(): void {
    this.#positions.clear();
  }

  /** What a read_committed reader sees of an output partition. */
  committed(topic: string, partition: number): OutboxRow[] {
    const visible: OutboxRow[] = [];
    for (const { row, transaction } of this.#output.get(`${topic}/${partition}`) ?? []) {
      if (transaction.fate === 'open') break;
      if (transaction.fate === 'committed') visible.push(row);
    }
    return visible;
  }

  #log(partition: number): Array<InputRecord | null> {
    const log = this.#input[partition];
    if (log === undefined) throw new RangeError(`no partition ${partition}`);
    return log;
  }

  #openOf(id: string, epoch: number): OpenTransaction {
    const producer = this.#producers.get(id);
    if (producer === undefined || producer.epoch !== epoch) throw new ProducerFenced();
    producer.open ??= { fate: 'open', position: undefined };
    return producer.open;
  }
}
