import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockDirectory } from '../src/directory-lock.ts';
import { FETCH_WITHIN_MS, findKafkaClassPath, KAFKA_DIR, KAFKA_VERSION } from '../src/kafka-programs.ts';
import { script, tempDir } from './fixtures.ts';

test('the pom fetches the version the cache is named after, and no file names a registry host', () => {
  const pom = readFileSync(join(KAFKA_DIR, 'pom.xml'), 'utf8');
  expect(pom).toContain(`<artifactId>kafka_2.13</artifactId>\n      <version>${KAFKA_VERSION}</version>`);
  expect(pom).not.toContain('<repositor');
});

test('of many starters that come at the same time, one fetches and the others wait for it', async () => {
  const directory = tempDir();
  const calls = join(directory, 'calls');
  // Stands for Maven: notes that it was called, and fills the directory it is told to.
  script(
    join(directory, 'mvn'),
    `echo call >> ${calls}
for argument in "$@"; do case "$argument" in -DoutputDirectory=*) out="\${argument#*=}";; esac; done
sleep 0.5
touch "$out/kafka_2.13-${KAFKA_VERSION}.jar" "$out/kafka-server-${KAFKA_VERSION}.jar"`,
  );
  const cache = tempDir();
  const environment = { PATH: `${directory}:${process.env.PATH}`, GONGJI_CACHE_DIR: cache };
  const paths = await Promise.all([1, 2, 3].map(() => findKafkaClassPath({ environment })));
  expect(new Set(paths)).toEqual(new Set([join(cache, `kafka-${KAFKA_VERSION}`, '*')]));
  expect(readFileSync(calls, 'utf8')).toBe('call\n');
});

test('another starter that fetches for too long, and a Maven that never ends, are given up', async () => {
  const directory = tempDir();
  script(join(directory, 'mvn'), 'exec sleep 600');
  const environment = { PATH: `${directory}:${process.env.PATH}`, GONGJI_CACHE_DIR: tempDir() };
  await expect(findKafkaClassPath({ environment, withinMs: 200 })).rejects.toThrow('Maven could not fetch Kafka');
  const held = lockDirectory(join(environment.GONGJI_CACHE_DIR, `kafka-${KAFKA_VERSION}.lock`));
  await expect(findKafkaClassPath({ environment, withinMs: 200 })).rejects.toThrow('Another process has held');
  held?.release();
  expect(FETCH_WITHIN_MS).toBe(15 * 60_000);
});
