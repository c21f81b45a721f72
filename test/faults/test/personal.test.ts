import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { judgeLogs } from '../src/personal.ts';
import { Script } from '../src/script.ts';

test('a log that names anyone of the load is a problem, and the problem does not name them', () => {
  const script = new Script({ seed: 1, families: 3 });
  const sent = [...script.opening(), ...Array.from({ length: 2_000 }, () => script.nextClaim())];
  const directory = mkdtempSync(join(tmpdir(), 'gongji-logs-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'clean.log'), '{"level":"info","partition":3,"offset":"1042","count":500}\n');
  expect(judgeLogs(directory, sent)).toEqual([]);
  const person = sent[0]?.key ?? '';
  writeFileSync(join(directory, 'leaky.log'), `{"level":"info","message":"of ${person}"}\n`);
  const problems = judgeLogs(directory, sent);
  expect(problems).toEqual([{ kind: 'personal', what: 'leaky.log names 1 people of the load' }]);
  expect(JSON.stringify(problems)).not.toContain(person);
});
