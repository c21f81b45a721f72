import { OUTCOME_CODES, PROBLEM_NAMES, PROBLEMS, problemType } from '@repo/contracts';
import { describe, expect, test } from 'vitest';
import { ApiProblem } from '../src/api/client.ts';
import { sayProblem } from '../src/parts/problem.tsx';
import { en } from '../src/words/en.ts';
import { zh } from '../src/words/zh.ts';

const CODES = Object.entries(OUTCOME_CODES).map(([code, text]) => ({ code, ...text }));
const chinese = (error: Error) => sayProblem(error, { w: zh, lang: 'zh' }, CODES);
const english = (error: Error) => sayProblem(error, { w: en, lang: 'en' }, CODES);
const LATIN_WORDS = /[a-z]{3,} [a-z]{2,}/i;

describe('what the API answers instead of what was asked for', () => {
  test.each(PROBLEM_NAMES)('%s has a sentence of its own in both languages', (name) => {
    const problem = new ApiProblem(PROBLEMS[name], 'as the API says it', { type: problemType(name) });
    expect(chinese(problem)).toMatch(/^[\u4e00-\u9fff].*。$/);
    expect(chinese(problem)).not.toMatch(LATIN_WORDS);
    expect(english(problem)).toMatch(/^[A-Z].*\. as the API says it$/);
    expect(english(problem)).not.toMatch(/[\u4e00-\u9fff]/);
    const same = PROBLEM_NAMES.filter((other) => zh.problems[other] === zh.problems[name]);
    expect(same).toEqual([name]);
  });

  test.each([400, 404, 502])('a status %d that something on the way answered is told as well', (status) => {
    const problem = new ApiProblem(status, 'Bad Gateway');
    expect(chinese(problem)).toContain(`答复 ${status}`);
    expect(chinese(problem)).not.toMatch(LATIN_WORDS);
    expect(english(problem)).toContain(`answer ${status}`);
  });

  test('the code of a rule is told in its sentence, and the fields are named', () => {
    const issues = [
      { path: 'daily_limit', problem: 'expected an amount' },
      { path: 'line 3', problem: 'expected a setl_id' },
    ];
    const more = { type: problemType('binding-refused'), code: 'DAILY_LIMIT_MISSING', issues };
    const problem = new ApiProblem(422, 'refused', more);
    const { DAILY_LIMIT_MISSING: code } = OUTCOME_CODES;
    expect(chinese(problem)).toBe(`${zh.problems['binding-refused']} ${code.zh} 请核对：daily_limit、第 3 行。`);
    expect(english(problem)).toContain(
      `${code.en} refused · daily_limit: expected an amount · line 3: expected a setl_id`,
    );
  });

  test('a service that does not answer is told as that', () => {
    expect(chinese(new TypeError('Failed to fetch'))).toBe(zh.unreachable);
  });
});
