import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeKeyFile } from '@repo/sealing';
import { prepareBareDatabase } from './bare/schema.ts';
import { createPlainTopics } from './load.ts';
import { makeKafka } from './pipeline.ts';
import { createProductTopics, prepareProductDatabase } from './product.ts';
import type { Family } from './workload.ts';

/** One run's own database, topics and families. */
export interface Run {
  readonly brokers: string;
  readonly databaseUrl: string;
  readonly prefix: string;
  readonly partitions: number;
}

export type PipelineName = 'plain' | 'bare' | 'product' | 'echo' | 'sharing';

interface Pipeline {
  readonly script: string;
  readonly createTopics: (run: Run) => Promise<void>;
  /** Makes tables in an empty database and loads the families; absent where there is nothing to store. */
  readonly prepareDatabase?: (url: string, town: { families: Iterable<Family>; partitions: number }) => Promise<void>;
}

const plainTopics = ({ brokers, prefix, partitions }: Run) =>
  createPlainTopics(makeKafka(brokers.split(','), 'bench'), { prefix, partitions });
const scriptAt = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export const PIPELINES: Readonly<Record<PipelineName, Pipeline>> = {
  bare: { script: scriptAt('bare/main.ts'), createTopics: plainTopics, prepareDatabase: prepareBareDatabase },
  plain: { script: scriptAt('bare/plain.ts'), createTopics: plainTopics, prepareDatabase: prepareBareDatabase },
  echo: { script: scriptAt('echo/main.ts'), createTopics: plainTopics },
  product: {
    script: scriptAt('../../../services/settlement-worker/src/main.ts'),
    createTopics: createProductTopics,
    prepareDatabase: prepareProductDatabase,
  },
  sharing: { script: scriptAt('../../../services/sharing-worker/src/main.ts'), createTopics: createProductTopics },
};

/** A pipeline's process. */
export interface PipelineProcess extends AsyncDisposable {
  readonly pid: number;
  /** Throws, with the end of its log, when it has ended by itself. */
  assertAlive(): void;
  /** Asks it to stop and waits; throws when it does not end well. */
  stop(): Promise<void>;
}

const STOP_LIMIT_MS = 20_000;
/** What `npm start` and the image run the services with, as far as it makes a pipeline faster: every one has it. */
const FASTER = ['--min-semi-space-size=32', '--max-semi-space-size=32', '--no-allocation-site-pretenuring'];
/** And as far as it saves memory, which is looked at of the services alone. */
const SMALLER = ['--heap-growing-percent=100'];
const SMALLER_MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '49152' };

/** Starts a pipeline as a process of its own, with the settings the product reads. It ends with us, however we end. */
export function startPipeline(name: PipelineName, run: Run, workDir: string): PipelineProcess {
  const logFile = join(workDir, `${run.prefix}.log`);
  const log = openSync(logFile, 'a');
  const envelopeKeyFile = join(workDir, 'envelope.keys');
  makeKeyFile(envelopeKeyFile);
  const isService = name === 'product' || name === 'sharing';
  const env = {
    ...(isService && SMALLER_MALLOC),
    // From the second run of a pipeline on, as from the second start of a service.
    NODE_COMPILE_CACHE: join(workDir, 'compiled', name),
    ...process.env,
    NODE_NO_WARNINGS: '1',
    GONGJI_KAFKA_BROKERS: run.brokers,
    GONGJI_DATABASE_URL: run.databaseUrl,
    GONGJI_TOPIC_PREFIX: run.prefix,
    GONGJI_PARTITIONS: String(run.partitions),
    GONGJI_ADMIN_PORT: '0',
    GONGJI_ENVELOPE_KEY_FILE: envelopeKeyFile,
  };
  const child: ChildProcess = fork(PIPELINES[name].script, {
    env,
    cwd: workDir,
    stdio: ['ignore', log, log, 'ipc'],
    // BENCH_NODE_FLAGS adds to it, a profiler for one.
    execArgv: [...FASTER, ...(isService ? SMALLER : []), ...(process.env.BENCH_NODE_FLAGS?.split(' ') ?? [])],
  });
  closeSync(log);
  const ended = once(child, 'exit');
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const report = () =>
    new Error(
      `${name} ended by itself (${child.signalCode ?? child.exitCode}):\n${readFileSync(logFile, 'utf8').slice(-4_000)}`,
    );
  const stop = async () => {
    if (hasEnded()) throw report();
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
    if (child.exitCode !== 0) throw report();
  };
  if (child.pid === undefined) throw new Error(`${name} could not be started`);
  return {
    pid: child.pid,
    assertAlive: () => {
      if (hasEnded()) throw report();
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      if (hasEnded()) return;
      child.kill('SIGKILL');
      await ended;
    },
  };
}
