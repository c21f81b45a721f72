import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogger, LOG_FIELDS, type LogFields, PERSONAL_FIELDS } from '../src/index.ts';

function recorder() {
  const lines: string[] = [];
  const log = createLogger({
    service: 'test',
    level: 'debug',
    destination: { write: (line) => void lines.push(line) },
  });
  return { log, lines };
}

const surname = fc.constantFrom('王', '李', '欧阳', '买买提');
const personName = fc.tuple(surname, fc.constantFrom('伟', '秀英', '·艾力', '思远')).map((parts) => parts.join(''));
const certificate = fc
  .tuple(
    fc.integer({ min: 110_000_00, max: 659_999_99 }),
    fc.integer({ min: 1_000_000_00, max: 9_999_999_99 }),
    fc.constantFrom('X', 'x', '7'),
  )
  .map(([area, serial, check]) => `${area}${serial}${check}`.padEnd(18, '3').slice(0, 17) + check);
const personNo = fc.integer({ min: 0, max: 999_999_999 }).map((serial) => `PSN33${String(serial).padStart(9, '0')}`);
const person = fc.record({ name: personName, certificate, personNo });

/** An error as PostgreSQL and MikroORM make them: row values in the message, in the detail, and so in the stack's first lines. */
function failureOf({
  name,
  certificate: number,
  personNo: id,
}: {
  name: string;
  certificate: string;
  personNo: string;
}): Error {
  const detail = `Failing row contains (${id}, ${name}, ${number}).\n    at ${name} (${id})`;
  const failure = new Error(`new row violates check constraint - ${detail}`, {
    cause: new Error(`insert into t values ('${id}')`),
  });
  return Object.assign(failure, {
    code: '23514',
    constraint: 'account_not_negative',
    detail,
    query: `update '${id}' '${name}'`,
    where: id,
  });
}

test('nothing personal reaches the log, whatever is logged', () => {
  fc.assert(
    fc.property(fc.array(person, { minLength: 1, maxLength: 3 }), fc.string(), (people, word) => {
      const { log, lines } = recorder();
      for (const one of people) {
        const error = failureOf(one);
        const personal = Object.fromEntries(PERSONAL_FIELDS.map((field) => [field, one.personNo]));
        const nested = { [one.personNo]: one.name, inner: one, list: [one], ...personal };
        log.error({ error }, 'posting failed');
        log.error({ error: new AggregateError([error, one], one.personNo) }, 'several failed');
        log.error(error as LogFields, 'an error in the place of the fields');
        log.error({ error: one.personNo }, 'thrown text');
        log.info({ ...personal, ...nested, [word]: one.personNo, unknownField: one.name } as LogFields, 'fields');
        log.info(
          { config: { key: one.personNo, payer: one.personNo, REGION: one.certificate }, state: one.name },
          'nested',
        );
        log
          .child(personal as LogFields)
          .warn({ topics: [one.certificate, one.name] }, `${one.name} ${one.certificate}`);
        log.debug(`cannot settle for ${one.name} (${one.certificate})`);
      }
      const output = lines.join('');
      expect(lines).toHaveLength(8 * people.length);
      for (const one of people) {
        for (const secret of [one.name, one.certificate, one.personNo]) expect(output).not.toContain(secret);
      }
    }),
  );
});

test('an error is logged as name, code, constraint, frames and causes', () => {
  const { log, lines } = recorder();
  log.error(
    { error: failureOf({ name: '王伟', certificate: '33010619900101123X', personNo: 'PSN1' }), attempt: 2 },
    'posting failed',
  );
  const line = JSON.parse(lines[0] ?? '');
  expect(line).toMatchObject({ level: 'error', service: 'test', message: 'posting failed', attempt: 2 });
  expect(line.error).toMatchObject({
    name: 'Error',
    code: '23514',
    constraint: 'account_not_negative',
    cause: { name: 'Error' },
  });
  expect(line.error.frames[0]).toMatch(/^at failureOf .*logger\.test\.ts:\d+:\d+\)$/);
  expect(Object.keys(line.error).sort()).toEqual(['cause', 'code', 'constraint', 'frames', 'name']);
});

test('listed fields are kept, personal ones marked, others counted', () => {
  const { log, lines } = recorder();
  const claimId = 'H33010600001202503101000004444'; // 30 digits and letters: a message id, not a certificate number
  log.info({ claimId, count: 3, personNo: 'P1', colour: 'red', size: 2 } as LogFields, 'batch applied');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ claimId, count: 3, personNo: '[redacted]', unlisted: 2 });
});

test('no personal field is on the list of allowed ones', () => {
  expect(PERSONAL_FIELDS.filter((field) => (LOG_FIELDS as readonly string[]).includes(field))).toEqual([]);
});

test('lines below the level are not written', () => {
  const lines: string[] = [];
  const log = createLogger({ service: 'test', level: 'warn', destination: { write: (line) => void lines.push(line) } });
  log.info('quiet');
  log.warn('heard');
  expect(lines.map((line) => JSON.parse(line).message)).toEqual(['heard']);
});

test('what looks like a person number is masked in texts, and long numbers stay where they belong', () => {
  const { log, lines } = recorder();
  const fields = {
    state: 'PSN330000117',
    steps: ['ok', '330000117'],
    offset: '123456789',
    topic: 'test-1234567.claims',
  };
  log.info({ ...fields, version: '20261122', count: 1_234_567 }, 'cannot settle for PSN-330000117, 3 left of 1000');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    state: '[masked]',
    steps: ['ok', '[masked]'],
    offset: '123456789',
    topic: 'test-1234567.claims',
    version: '20261122',
    count: 1_234_567,
    message: 'cannot settle for [masked], 3 left of 1000',
  });
});
