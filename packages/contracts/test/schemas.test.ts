import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { documents, eventSchemas } from '../src/documents.ts';

const FOLDER = join(import.meta.dirname, '../schemas');

/** Yesterday's file and today's say the same words in other orders of keys, too: text is compared. */
const written = (): Map<string, string> =>
  new Map(
    readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.json'))
      .map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')]),
  );

test('the files are those that the decoders give: npm run generate -w packages/contracts', () => {
  expect(Object.fromEntries(written())).toEqual(Object.fromEntries(documents()));
});

test('every schema is JSON Schema 2020-12, and none leaves a field or an event without words', () => {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, validateFormats: false });
  for (const { type, schema } of eventSchemas()) {
    expect(ajv.validateSchema(schema)).toBe(true);
    ajv.compile(schema);
    expect(schema.description, type).not.toBe('');
    const properties = Object.entries(schema.properties as Record<string, { description?: string }>);
    expect(properties.flatMap(([name, { description }]) => (description === undefined ? [name] : []))).toEqual([]);
  }
});

describe('the AsyncAPI document', () => {
  const require = createRequire(import.meta.url);
  const specification = require('@asyncapi/specs/schemas/3.0.0.json') as object;
  const validate = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false }).compile(
    specification,
  );
  const document = JSON.parse(documents().get('asyncapi.json') ?? '') as Record<string, Record<string, object>>;

  test('is AsyncAPI 3.0', () => {
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ ...document, operations: { wrong: { action: 'publish' } } })).toBe(false);
  });

  test('refers to nothing that is not in it', () => {
    const references = JSON.stringify(document).match(/"\$ref":"#[^"]+"/g) ?? [];
    expect(references.length).toBeGreaterThan(60);
    for (const reference of references) {
      const path = reference.slice('"$ref":"#/'.length, -1).split('/');
      expect(path.reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], document)).toBeDefined();
    }
  });
});
