import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { searchOutput } from '../src/output.ts';
import { PEOPLE_FILE, PersonalData } from '../src/personal.ts';

const made = () => {
  const people = new PersonalData();
  people.note('{"psn_no":"PSN330000001","psn_name":"欧阳某某","certno":"110101199003070000","amount":"1.00"}');
  people.note(Buffer.from('{"binding_id":"B1","payer":"P1","beneficiary":"F12-P3"}'));
  people.note('no JSON');
  people.note(null);
  return people;
};

test.each([
  ['a person number', '{"level":"warn","state":"PSN330000001"}', ['PSN330000001']],
  ['a number inside a longer word', 'claim-PSN330000001-7', ['PSN330000001']],
  ['a name', '{"message":"cannot settle for 欧阳某某"}', ['欧阳某某']],
  ['a certificate number', 'row (110101199003070000)', ['110101199003070000']],
  ['a payer and a beneficiary', 'P1 pays for "F12-P3"', ['P1', 'F12-P3']],
])('%s is found where it was planted', (_case, text, found) => {
  expect(made().foundIn(text)).toEqual(found);
});

test('what names nobody is left alone, also where a short number is part of a word', () => {
  expect(
    made().foundIn('{"pid":1,"binding":"B1","code":"HTTP1","owner":"P12","amount":"1.00","path":"a/P1x"}'),
  ).toEqual([]);
});

test('whom a test made up is told to its run and found in the output of all tests, by the line and not by name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gongji-personal-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [file, output] = [join(folder, 'people'), join(folder, 'output')];
  vi.stubEnv(PEOPLE_FILE, file);
  onTestFinished(() => void vi.unstubAllEnvs());
  made().tellRun();
  // "P1" is too short to mean one person in all that is printed.
  writeFileSync(output, ' ✓ P1 pays for F12\n 9 passed\n');
  expect(searchOutput(file, output)).toEqual({ people: 4, lines: [] });
  writeFileSync(output, '9 passed\n at settle (欧阳某某)\n 8 passed\n');
  expect(searchOutput(file, output)).toEqual({ people: 4, lines: [2] });
});
