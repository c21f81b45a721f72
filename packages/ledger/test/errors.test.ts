import { expect, test } from 'vitest';
import { isTransient } from '../src/errors.ts';

const coded = (code: string): Error => Object.assign(new Error('away'), { code });

test.each(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EAI_AGAIN', '57P01', '53100'])(
  'a database that cannot be reached or used for now, %s, is no defect of a message',
  (code) => {
    expect(isTransient(coded(code))).toBe(true);
    expect(isTransient(new Error('wrapped', { cause: coded(code) }))).toBe(true);
  },
);

test.each(['23502', '42P01', 'ENOENT'])('what would come again, %s, is one', (code) => {
  expect(isTransient(coded(code))).toBe(false);
});
