import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { eventSchemas } from '../src/index.ts';
import { hasNumericAmount, isTaken, mutated } from './mutated.ts';

vi.setConfig({ testTimeout: 120_000 });

const ajv = new Ajv2020({ strict: false, validateFormats: false });
const validators = new Map(
  eventSchemas().flatMap(({ topic, type, schema }) =>
    topic === 'claims' || topic === 'members' ? [[type, ajv.compile(schema)] as const] : [],
  ),
);

test('what a decoder takes its schema takes, and the other way round', () => {
  const seen = { both: 0, neither: 0 };
  fc.assert(
    fc.property(mutated, ({ type, fields }) => {
      const taken = isTaken(type, fields);
      const valid = validators.get(type)?.(fields);
      if (taken) seen.both += 1;
      else seen.neither += 1;
      if (!taken && valid && hasNumericAmount(fields)) return true;
      return valid === taken;
    }),
    { numRuns: 3000 },
  );
  // Neither side is empty, so the property has said something.
  expect(Math.min(seen.both, seen.neither)).toBeGreaterThan(250);
});
