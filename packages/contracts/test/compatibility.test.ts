import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { decodePublished, eventSchemas } from '../src/index.ts';
import { narrowed } from './compatibility.ts';
import { hasNumericAmount, isTaken, mutated } from './mutated.ts';

vi.setConfig({ testTimeout: 120_000 });

const FROZEN = join(import.meta.dirname, 'frozen/v1');
type Json = Readonly<Record<string, unknown>>;
const read = (file: string): Json => JSON.parse(readFileSync(join(FROZEN, file), 'utf8'));

const frozen = readdirSync(join(FROZEN, 'schemas'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.json'))
  .map((file) => ({ name: file.slice(0, -'.json'.length), schema: read(join('schemas', file)) }));
const today = new Map(eventSchemas().map(({ topic, type, schema }) => [`${topic}/${type}`, schema as Json]));
const ajv = new Ajv2020({ strict: false, validateFormats: false });
const byType = new Map(frozen.map(({ name, schema }) => [name.slice(name.indexOf('/') + 1), schema]));
const isOutput = (name: string): boolean => name.startsWith('settlements/') || name.startsWith('sharing/');

test('no event of version 1 is gone', () => {
  expect(frozen).toHaveLength(32);
  expect(frozen.filter(({ name }) => !today.has(name))).toEqual([]);
});

describe('yesterday’s readers read today’s events:', () => {
  test.each(frozen.filter(({ name }) => isOutput(name)))('$name', ({ name, schema }) => {
    expect(narrowed(today.get(name) ?? {}, schema)).toEqual([]);
  });

  test('a field taken away, made optional, of another type or with a new value in a closed list is noticed', () => {
    const schema = {
      type: 'object',
      properties: { state: { type: 'string', enum: ['A', 'B'] }, sum: { type: 'string' } },
      required: ['state', 'sum'],
    };
    const changed = (properties: object, required = schema.required) =>
      narrowed({ ...schema, properties, required }, schema);
    const { state, sum } = schema.properties;
    expect(changed({ state, sum, more: {} }, ['state', 'sum', 'more'])).toEqual([]);
    expect(changed({ state: { ...state, enum: ['A'] }, sum })).toEqual([]);
    expect(changed({ state }, ['state'])).toEqual(['/sum: gone', '/sum: no longer always there']);
    expect(changed({ state, sum }, ['state'])).toEqual(['/sum: no longer always there']);
    expect(changed({ state, sum: { type: 'number' } })).toEqual(['/sum/type: changed']);
    expect(changed({ state: { ...state, enum: ['A', 'B', 'C'] }, sum })).toEqual([
      '/state: new values in a closed list',
    ]);
  });
});

test('yesterday’s senders are understood today: what the schemas of version 1 take the decoders take', () => {
  const validators = new Map([...byType].map(([type, schema]) => [type, ajv.compile(schema)]));
  let taken = 0;
  fc.assert(
    fc.property(mutated, ({ type, fields }) => {
      if (!validators.get(type)?.(fields) || hasNumericAmount(fields)) return true;
      taken += 1;
      return isTaken(type, fields);
    }),
    { numRuns: 1500 },
  );
  expect(taken).toBeGreaterThan(200);
});

test('today’s reader reads the events of version 1 as they were sent', () => {
  const events = Object.entries(read('events/published.json'));
  expect(events.length).toBe(13);
  for (const [name, value] of events) {
    const type = name.slice(name.indexOf('/') + 1);
    const header = (key: string, text: string) => [key, Buffer.from(text)] as const;
    const headers = [header('ce_type', type), header('ce_id', 'id'), header('ce_sequence', '1')];
    const decoded = decodePublished({ value: Buffer.from(JSON.stringify(value)), headers });
    expect(decoded).toMatchObject({ kind: 'EVENT', type, value });
  }
});
