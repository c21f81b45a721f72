import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { decodePublished, eventSchemas, headerText, topicsOf } from '@repo/contracts';
import { readToEnd, type TailedRecord } from '@repo/messaging';
import { until } from '@repo/testkit';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import type { RunningCity } from './city.fixture.ts';
import { projectWithContracts } from './installed.fixture.ts';

const CONTRACTS = join(import.meta.dirname, '../../../../packages/contracts');
const FROZEN = join(CONTRACTS, 'test/frozen/v1');

const validators = (schemas: Iterable<readonly [string, object]>): Map<string, ValidateFunction> => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  return new Map([...schemas].map(([name, schema]) => [name, ajv.compile(schema)]));
};
const today = () => validators(eventSchemas().map(({ topic, type, schema }) => [`${topic}/${type}`, schema]));
const yesterday = () =>
  validators(
    readdirSync(join(FROZEN, 'schemas'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.includes('/'))
      .map((name) => [name.replace(/\.json$/, ''), JSON.parse(readFileSync(join(FROZEN, 'schemas', name), 'utf8'))]),
  );

/** What the demo and the family send wrong, on purpose. */
const WRONG_INPUTS = /X"|"1\.005"|"F8"/;

export function contractCases(running: () => RunningCity): void {
  const recordsOf = async (names: readonly ('claims' | 'members' | 'settlements' | 'sharing')[]) => {
    const { kafkaBrokers = [], topicPrefix } = running().settings;
    const topics = topicsOf(topicPrefix);
    const records: (TailedRecord & { readonly name: string })[] = [];
    await readToEnd({
      connection: { brokers: kafkaBrokers, clientId: 'contract-test' },
      topics: names.map((name) => topics[name]),
      onRecords: (batch) => {
        for (const record of batch)
          records.push({ ...record, name: names.find((name) => topics[name] === record.topic) ?? '' });
      },
    });
    return records.map((record) => ({ ...record, type: headerText(record, 'ce_type') ?? '' }));
  };

  test('every event that was really published is valid by today’s schemas and by those of version 1, and is decoded', async () => {
    const published = await recordsOf(['settlements', 'sharing']);
    const readers = [today(), yesterday()];
    const seen = new Set<string>();
    for (const record of published) {
      const name = `${record.name}/${record.type}`;
      const value: unknown = JSON.parse(String(record.value));
      for (const reader of readers) {
        const validate = reader.get(name);
        validate?.(value);
        expect({ name, errors: validate?.errors }).toEqual({ name, errors: null });
      }
      const decoded = decodePublished(record);
      expect(decoded).toMatchObject({ kind: 'EVENT', type: record.type });
      // Nothing is published that the schema has no name for: a typed reader sees all of it.
      if (decoded.kind === 'EVENT') expect(decoded.value).toEqual(value);
      seen.add(name);
    }
    const outputs = eventSchemas().flatMap(({ topic, type }) =>
      topic === 'settlements' || topic === 'sharing' ? [`${topic}/${type}`] : [],
    );
    expect([...seen].sort()).toEqual(outputs.sort());
  });

  test('every input that was taken is valid by today’s schemas and by those of version 1', async () => {
    const sent = await recordsOf(['claims', 'members']);
    const readers = [today(), yesterday()];
    let valid = 0;
    for (const { name, type, value } of sent) {
      if (WRONG_INPUTS.test(String(value))) continue;
      const fields: unknown = JSON.parse(String(value));
      for (const reader of readers) expect(reader.get(`${name}/${type}`)?.(fields)).toBe(true);
      valid += 1;
    }
    expect(valid).toBeGreaterThan(250);
  });

  test('the example consumer, compiled where the packed contracts are installed, adds up what the books say relatives paid', async () => {
    const { kafkaBrokers = [], topicPrefix, databaseUrl } = running().settings;
    using project = projectWithContracts();
    const file = project.compiled('example/consumer.ts');
    const consumer = spawn(process.execPath, [file, kafkaBrokers.join(), topicsOf(topicPrefix).settlements], {
      cwd: project.folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    consumer.stdout.on('data', (chunk) => {
      printed += String(chunk);
    });
    const client = new Client(databaseUrl);
    await client.connect();
    try {
      const { rows } = await client.query<{ relation: string; fen: number }>(
        `select relation, (-sum(prior_year + current_year + held) * 100)::int as fen from entry join binding using (binding_id)
         where kind = 'CLAIM' group by relation`,
      );
      const books = Object.fromEntries(rows.map(({ relation, fen }) => [relation, fen]));
      expect(rows.length).toBeGreaterThan(2);
      // The last line may still be on its way.
      const lastLine = () => printed.slice(0, printed.lastIndexOf('\n')).split('\n').at(-1) ?? '';
      await until(() => lastLine() !== '' && isDeepStrictEqual(JSON.parse(lastLine()), books), {
        what: 'the consumer has the sums of the books',
        deadlineMs: 60_000,
      });
    } finally {
      await client.end();
      consumer.kill('SIGKILL');
      await once(consumer, 'exit');
    }
  });
}
