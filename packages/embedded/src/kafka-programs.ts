import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './child.ts';
import { lockDirectory } from './directory-lock.ts';
import { explainFileError, StartFailure } from './failure.ts';
import { waitFor } from './wait.ts';

export const KAFKA_VERSION = '4.4.0';
/** pom.xml and log4j2.xml. */
export const KAFKA_DIR: string = fileURLToPath(new URL('../kafka', import.meta.url));
const JAVA_MIN = 17;
export const FETCH_WITHIN_MS = 15 * 60_000;

/** The Java to run Kafka with: JAVA_HOME's, else the PATH's. Throws a `StartFailure` when it is missing or too old. */
export async function findJava(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const home = environment.JAVA_HOME;
  const java = home ? join(home, 'bin', 'java') : 'java';
  const where = home ? `JAVA_HOME (${home})` : 'the PATH';
  const text = await new Promise<string | undefined>((done) => {
    execFile(java, ['-version'], { env: environment }, (error, stdout, stderr) =>
      done(error ? undefined : stdout + stderr),
    );
  });
  if (text === undefined) {
    throw new StartFailure(
      `Kafka needs Java ${JAVA_MIN} or newer, and no working java was found in ${where}. Install a JDK or JRE, or set JAVA_HOME to one; or set GONGJI_KAFKA_BROKERS to a Kafka of your own.`,
    );
  }
  const version = /version "(?:1\.)?(\d+)/.exec(text)?.[1];
  if (version !== undefined && Number(version) < JAVA_MIN) {
    throw new StartFailure(
      `Kafka needs Java ${JAVA_MIN} or newer; the java in ${where} is ${version}. Set JAVA_HOME to a newer one.`,
    );
  }
  return java;
}

/**
 * The class path of the Kafka broker, fetched by Maven once per machine into `$GONGJI_CACHE_DIR/kafka-4.4.0`
 * (`~/.cache/gongji/kafka-4.4.0`). Starters that come at the same time wait for the one that fetches.
 */
export async function findKafkaClassPath(
  options: {
    readonly environment?: NodeJS.ProcessEnv;
    readonly log?: (line: string) => void;
    readonly withinMs?: number;
  } = {},
): Promise<string> {
  const { environment = process.env, log = () => {}, withinMs = FETCH_WITHIN_MS } = options;
  const cache = resolve(environment.GONGJI_CACHE_DIR || join(homedir(), '.cache', 'gongji'));
  const libraries = join(cache, `kafka-${KAFKA_VERSION}`);
  const classPath = join(libraries, '*');
  if (isComplete(libraries)) return classPath;
  try {
    const lockDir = join(cache, `kafka-${KAFKA_VERSION}.lock`);
    let lock = lockDirectory(lockDir);
    if (lock === undefined) {
      log('another process is fetching Kafka; waiting for it');
      const taken = (): boolean => {
        lock = lockDirectory(lockDir);
        return lock !== undefined;
      };
      await waitFor(taken, withinMs, 200);
    }
    if (lock === undefined)
      throw new StartFailure(
        `Another process has held ${lockDir} for ${withinMs / 60_000} minutes; end it and try again.`,
      );
    try {
      if (!isComplete(libraries)) await fetchLibraries({ libraries, environment, log, withinMs });
    } finally {
      lock.release();
    }
  } catch (error) {
    throw explainFileError(error, cache, 'GONGJI_CACHE_DIR');
  }
  return classPath;
}

/** The directory appears whole, by a rename; this guards against one that was thinned out later. */
const isComplete = (libraries: string): boolean =>
  existsSync(join(libraries, `kafka_2.13-${KAFKA_VERSION}.jar`)) &&
  existsSync(join(libraries, `kafka-server-${KAFKA_VERSION}.jar`));

async function fetchLibraries(options: {
  readonly libraries: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  readonly withinMs: number;
}): Promise<void> {
  const { libraries, log } = options;
  const draft = `${libraries}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  log(`fetching Apache Kafka ${KAFKA_VERSION} with Maven, once per machine (about 45 MB)`);
  const output: string[] = [];
  const child = spawn(
    'mvn',
    ['-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${draft}`],
    {
      cwd: KAFKA_DIR,
      env: options.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.withinMs,
    },
  );
  endWithUs(child);
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
  const progress = setInterval(
    () =>
      log(
        `fetching Kafka: ${readdirSync(draft).length} libraries in place, ${countDownloads(output)} files downloaded`,
      ),
    5_000,
  );
  const code = await new Promise<number | string | null>((done) => {
    child.once('error', (error) => done('code' in error ? String(error.code) : error.message));
    child.once('close', done);
  });
  clearInterval(progress);
  if (code === 'ENOENT') {
    throw new StartFailure(
      'Kafka is fetched with Maven, and no mvn was found on the PATH. Install Maven 3.6 or newer; or set GONGJI_KAFKA_BROKERS to a Kafka of your own.',
    );
  }
  if (code !== 0 || readdirSync(draft).length === 0) {
    const errors = output
      .join('')
      .split('\n')
      .filter((line) => /ERROR|FATAL/.test(line))
      .slice(0, 8);
    throw new StartFailure(
      `Maven could not fetch Kafka (${code}). Check the network, or the mirror in Maven's settings.xml.\n${errors.join('\n')}`,
    );
  }
  rmSync(libraries, { recursive: true, force: true });
  renameSync(draft, libraries);
}

const countDownloads = (output: readonly string[]): number => output.join('').split('Downloaded from').length - 1;
