import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findKafkaClassPath, KAFKA_DIR, KAFKA_VERSION } from '../src/kafka-programs.ts';
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
