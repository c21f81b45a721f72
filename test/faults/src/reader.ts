import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findJava, findKafkaClassPath } from '@repo/embedded';

const SOURCE = fileURLToPath(new URL('../java/ReadCommitted.java', import.meta.url));

/** A record as Kafka's own client reads it, keys and values as UTF-8 text. `topic` is what the reader was told to call it. */
export interface LogRecord<Topic extends string = string> {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where a partition ends for a read_committed reader, and where its log ends: they differ while a transaction is open. */
export interface LogEnd<Topic extends string = string> {
  readonly topic: Topic;
  readonly partition: number;
  readonly stable: number;
  readonly high: number;
}

/** Everything committed to the topics as of now. `names` maps a topic's full name to what it is called here. */
export async function readLog<Topic extends string>(brokers: string, names: ReadonlyMap<string, Topic>) {
  const records: LogRecord<Topic>[] = [];
  const ends: LogEnd<Topic>[] = [];
  await run({
    brokers,
    mode: 'once',
    names,
    onRecord: (record) => records.push(record),
    onEnd: (end) => ends.push(end),
  }).done;
  return { records, ends };
}

/** Where the partitions end as of now. */
export async function readEnds<Topic extends string>(brokers: string, names: ReadonlyMap<string, Topic>) {
  const ends: LogEnd<Topic>[] = [];
  await run({ brokers, mode: 'ends', names, onRecord: () => {}, onEnd: (end) => ends.push(end) }).done;
  return ends;
}

/** Reads along until it is closed, through every death of the broker. */
export function followLog<Topic extends string>(
  brokers: string,
  names: ReadonlyMap<string, Topic>,
  onRecord: (record: LogRecord<Topic>) => void,
): AsyncDisposable {
  const running = run({ brokers, mode: 'follow', names, onRecord, onEnd: () => {} });
  return {
    [Symbol.asyncDispose]: async () => {
      (await running.started).child.kill('SIGKILL');
      await running.done.catch(() => {});
    },
  };
}

interface RunOptions<Topic extends string> {
  readonly brokers: string;
  readonly mode: 'once' | 'ends' | 'follow';
  readonly names: ReadonlyMap<string, Topic>;
  readonly onRecord: (record: LogRecord<Topic>) => void;
  readonly onEnd: (end: LogEnd<Topic>) => void;
}

function run<Topic extends string>({ brokers, mode, names, onRecord, onEnd }: RunOptions<Topic>) {
  const started = start([brokers, mode, ...names.keys()]);
  const read = async (): Promise<void> => {
    const { child, exited } = await started;
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-4_000);
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const [kind = '', full = '', ...fields] = line.split('\t');
      const topic = names.get(full);
      if (topic === undefined) throw new Error('the reader named a topic it was not asked for');
      if (kind === 'end')
        onEnd({ topic, partition: Number(fields[0]), stable: Number(fields[1]), high: Number(fields[2]) });
      else onRecord(recordOf(topic, fields));
    }
    const code = await exited;
    if (code !== 0)
      throw new Error(`Kafka's reader ended with code ${code}. It needs a JDK, 17 or newer.\n${complaint}`);
  };
  return { started, done: read() };
}

/** The program and flags that run a Java source with Kafka's own client. */
export async function javaCommand(): Promise<[java: string, flags: string[]]> {
  const [java, classPath] = await Promise.all([findJava(), findKafkaClassPath()]);
  const logging = `-Dlog4j2.configurationFile=${join(SOURCE, '..', 'log4j2.xml')}`;
  return [java, ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', logging, '-cp', classPath]];
}

async function start(args: readonly string[]) {
  const [java, flags] = await javaCommand();
  const child = spawn(java, [...flags, SOURCE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const endWithUs = (): boolean => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const exited = new Promise<number | null>((resolve) => void child.once('close', resolve));
  void exited.then(() => process.off('exit', endWithUs));
  return { child, exited };
}

function recordOf<Topic extends string>(topic: Topic, fields: readonly string[]): LogRecord<Topic> {
  const [partition, offset, , key = '-', value = '-', headers = ''] = fields;
  const pairs = headers
    .split(',')
    .filter(Boolean)
    .map((pair) => {
      const cut = pair.indexOf('=');
      return [pair.slice(0, cut), textOf(pair.slice(cut + 1)) ?? ''] as const;
    });
  return {
    topic,
    partition: Number(partition),
    offset: Number(offset),
    key: textOf(key),
    value: textOf(value),
    headers: Object.fromEntries(pairs),
  };
}

const textOf = (base64: string): string | null =>
  base64 === '-' ? null : Buffer.from(base64, 'base64').toString('utf8');
