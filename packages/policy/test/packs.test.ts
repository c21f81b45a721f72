import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PARAMETER_NAMES, type PackFile, type ParsedPacks, parsePacks } from '../src/index.ts';
import { toPlain } from '../src/parameters.ts';

const HEADER = 'regionCode: 330000\neffectiveFrom: 2025-01-01\neffectiveTo: null\n';

const file = (text: string, name = 'a.yaml'): PackFile => ({ name, text });
const problemsOf = (parsed: ParsedPacks): readonly string[] => ('problems' in parsed ? parsed.problems : []);

/** The problems of one file that has a sound header. */
const problems = (lines: string): readonly string[] => problemsOf(parsePacks([file(HEADER + lines)]));

/** A file of a region's version; `lines` are its parameters. */
const version = (name: string, region: string, from: string, to: string, lines = ''): PackFile =>
  file(`regionCode: ${region}\neffectiveFrom: ${from}\neffectiveTo: ${to}\n${lines}`, name);

/** The values of one file that has a sound header. */
function values(lines: string): Record<string, unknown> {
  const parsed = parsePacks([file(HEADER + lines)]);
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  return Object.fromEntries([...(parsed.packs[0]?.values ?? [])].map(([name, value]) => [name, toPlain(value)]));
}

describe('reading', () => {
  test('codes keep their zeros and are not octal, quoted or not', () => {
    for (const code of ['000000', '"000000"', '010100', "'330000'"]) {
      const parsed = parsePacks([version('a.yaml', code, 'null', 'null')]);
      expect('packs' in parsed && parsed.packs[0]?.region).toBe(code.replaceAll(/["']/g, ''));
    }
  });

  test('amounts are read from their source text', () => {
    const written = 'dailyLimitMax: 99999999999999.99\nminRemaining: "3000"\nshareThreshold: 0.1\ndailyLimitDefault: ~';
    expect(values(written)).toEqual({
      dailyLimitMax: '99999999999999.99',
      minRemaining: '3000.00',
      shareThreshold: '0.10',
      dailyLimitDefault: null,
    });
  });

  test('JSON is read like YAML', () => {
    const text = `{\n\t"regionCode": "330000", "effectiveFrom": null, "effectiveTo": null,
      "allowedRelations": ["CHILD", "SPOUSE"], "minRemaining": 12.50, "contributionDueDay": 15, "poolAreaDigits": 2,
      "residentPremium": {"2026": [400, "420.5"]}, "pauseOnArrears": false\n}`;
    const parsed = parsePacks([file(text, 'a.json')]);
    const pack = 'packs' in parsed ? parsed.packs[0] : undefined;
    expect(Object.fromEntries([...(pack?.values ?? [])].map(([name, value]) => [name, toPlain(value)]))).toEqual({
      allowedRelations: ['SPOUSE', 'CHILD'],
      minRemaining: '12.50',
      contributionDueDay: 15,
      poolAreaDigits: 2,
      residentPremium: { 2026: ['400.00', '420.50'] },
      pauseOnArrears: false,
    });
  });

  test('a pack may set any subset, also nothing', () => {
    expect(values('')).toEqual({});
  });
});

describe('an ill-typed value is a problem that names file, line, parameter and what was expected', () => {
  test.each([
    ['sharingEnabled: yes', 'expected true or false; found yes'],
    ['sharingEnabled: "true"', 'expected true or false; found "true"'],
    ['sharingEnabled:', 'expected true or false; found nothing'],
    ['accountScope: ALL', 'expected one of PERSONAL_BURDEN, IN_SCOPE_ONLY; found ALL'],
    ['allowedRelations: SPOUSE', 'found SPOUSE'],
    [
      'allowedRelations: [SPOUSE, COUSIN]',
      'expected a list, each once, of SPOUSE, PARENT, CHILD, SIBLING, GRANDPARENT, GRANDCHILD',
    ],
    ['allowedRelations: [SPOUSE, SPOUSE]', 'each once'],
    ['allowedRelations: &all [SPOUSE]\npremiumRelations: *all', 'found *all'],
    ['poolAreaDigits: 3', 'expected 2 or 4; found 3'],
    ['poolAreaDigits: "2"', 'found "2"'],
    ['minRemaining: 0.001', 'expected an amount of yuan with at most 2 decimals; found 0.001'],
    ['minRemaining: 3e3', 'found 3e3'],
    ['minRemaining: -1', 'found -1'],
    ['minRemaining: 03000', 'found 03000'],
    ['minRemaining: 3,000.00', 'found 3,000.00'],
    ['minRemaining: null', 'found null'],
    ['minRemaining: 100000000000000.00', 'found 100000000000000.00'],
    ['shareThreshold: none', 'or null; found none'],
    ['contributionDueDay: 29', 'expected a whole number from 1 to 28, or LAST; found 29'],
    ['contributionDueDay: 0x10', 'found 0x10'],
    ['arrearsGraceDays: -1', 'found -1'],
    ['arrearsGraceDays: 1.0', 'found 1.0'],
    ['maxFamiliesPerPerson: 99999', 'expected a whole number from 0 to 9999, or null; found 99999'],
    ['residentPremium: [380.00]', 'expected a map from a year'],
    ['residentPremium: {2025: 400.00}', 'expected a map from a year'],
    ['residentPremium: {2025: []}', 'at least one amount'],
    ['residentPremium: {25: [400.00]}', 'expected a map from a year'],
    ['residentPremium: {2025: [400.005]}', 'found {2025: [400.005]}'],
    ['extends: 330000', 'expected the name of a template, such as T6000; found 330000'],
  ])('%s', (line, expected) => {
    const found = problems(line);
    expect(found).toHaveLength(1);
    const [name] = line.split('\n').at(-1)?.split(':') ?? [];
    expect(found[0]).toMatch(new RegExp(`^a\\.yaml:[45]: ${name}: expected `));
    expect(found[0]).toContain(expected);
  });
});

describe('a name', () => {
  test('that no parameter has is a problem, with the one that is meant where one is near', () => {
    expect(problems('minRemainng: 1')).toEqual([
      'a.yaml:4: minRemainng: expected the name of a parameter; there is none of this name (did you mean minRemaining?)',
    ]);
    expect(problems('RegionCode: 1')[0]).toContain('(did you mean regionCode?)');
    expect(problems('colour: red')[0]).toBe(
      'a.yaml:4: colour: expected the name of a parameter; there is none of this name',
    );
    expect(problems('toString: 1\n__proto__: 2\nconstructor: 3')).toHaveLength(3);
  });

  test('written twice is a problem, at any depth', () => {
    expect(problems('minRemaining: 1\nminRemaining: 1')).toEqual([
      'a.yaml:5: minRemaining: expected once; found again',
    ]);
    expect(problems('residentPremium:\n  2025: [1]\n  2025: [2]')).toEqual([
      'a.yaml:6: 2025: expected once; found again',
    ]);
  });

  test('that is no text is a problem', () => {
    expect(problems('? [a]\n: b')).toEqual(['a.yaml:4: expected a name before the colon']);
  });
});

describe('a problem', () => {
  test('never repeats more than a line of the file, nor what a terminal would obey', () => {
    const long = 'x'.repeat(1_000);
    const hostile = [
      `!<${long}> y`,
      `${long}: 1`,
      `a: 1\n${long}: 1\n${long}: 1`,
      `minRemaining: "${long}"`,
      '"\\e[2J": 1',
    ];
    for (const found of hostile.flatMap(problems)) {
      expect(found.length).toBeLessThan(300);
      expect(found).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
    expect(problems(`? |\n  ${long}\n: 1`)).toHaveLength(1);
  });

  test('is told of a text that is longer than any policy before it is parsed', () => {
    const startedAt = performance.now();
    expect(problemsOf(parsePacks([file(`a: [${','.repeat(1 << 20)}`)]))).toEqual([
      'a.yaml:1: expected at most 65536 characters',
    ]);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  test('is told of a value that is nested deeper than any, however deep it is', () => {
    for (const depth of [5, 50, 5_000])
      expect(problems(`minRemaining: ${'['.repeat(depth)}${']'.repeat(depth)}`)[0]).toMatch(/^a\.yaml:4: .*expected /);
  });
});

describe('a header', () => {
  test('must be complete', () => {
    expect(problemsOf(parsePacks([file('{}')]))).toEqual([
      'a.yaml: regionCode: expected 6 digits, or the name of a template, such as T6000; it is missing',
      'a.yaml: effectiveFrom: expected a date YYYY-MM-DD, or null; it is missing',
      'a.yaml: effectiveTo: expected a date YYYY-MM-DD, or null; it is missing',
    ]);
  });

  test.each(['33000', '0330000', '33000x', 't6000', 'T', 'null'])(
    'has a region code or a template name, not %s',
    (code) => {
      expect(problemsOf(parsePacks([version('a.yaml', code, 'null', 'null')]))).toEqual([
        `a.yaml:1: regionCode: expected 6 digits, or the name of a template, such as T6000; found ${code}`,
      ]);
    },
  );

  test.each(['2025-02-29', '2025-1-1', '20250101', '2025-01-01T00:00:00Z', 'always'])(
    'has dates of the calendar, not %s',
    (day) => {
      expect(problemsOf(parsePacks([version('a.yaml', '330000', day, 'null')]))).toEqual([
        `a.yaml:2: effectiveFrom: expected a date YYYY-MM-DD, or null; found ${day}`,
      ]);
    },
  );

  test('does not end before it begins', () => {
    expect(problemsOf(parsePacks([version('a.yaml', '330000', '2025-01-02', '2025-01-01')]))).toEqual([
      'a.yaml: effectiveTo: expected 2025-01-02 (effectiveFrom) or later; found 2025-01-01',
    ]);
    expect(problemsOf(parsePacks([version('a.yaml', '330000', '2025-01-01', '2025-01-01')]))).toEqual([]);
  });
});

describe('a file that is not a map of parameters is a problem', () => {
  test.each(['', '# nothing', '- a', 'text', '[1]', '"x"'])('%j', (text) => {
    expect(problemsOf(parsePacks([file(text)]))).toEqual(['a.yaml:1: expected a map of parameters']);
  });

  test.each([`${HEADER}a: b: c`, '{"regionCode": ', `${HEADER}---\nb: 1`, `${HEADER}sharingEnabled: !!bool true`])(
    '%j',
    (text) => {
      const found = problemsOf(parsePacks([file(text)]));
      expect(found.length).toBeGreaterThan(0);
      for (const problem of found) expect(problem).toMatch(/^a\.yaml:\d+: expected YAML or JSON; found: /);
    },
  );

  test('also where it is nested too deep to be read', () => {
    expect(problemsOf(parsePacks([file('['.repeat(50_000))])).length).toBeGreaterThan(0);
  });
});

describe('versions of one region', () => {
  const HINT = '(to end a shipped version, add a copy of its file with that effectiveTo)';

  test('follow each other day by day, whatever order the files are in', () => {
    const second = version('b.yaml', '330000', '2025-01-01', 'null');
    const first = version('a.yaml', '330000', 'null', '2024-12-31');
    expect(problemsOf(parsePacks([second, first]))).toEqual([]);
  });

  test.each([
    ['2025-01-01', 'they overlap'],
    ['null', 'they overlap'],
    ['2024-12-30', 'there is a gap between them'],
  ])('ending on %s before one from 2025-01-01: %s', (to, flaw) => {
    const parsed = parsePacks([
      version('a.yaml', '330000', 'null', to),
      version('b.yaml', '330000', '2025-01-01', 'null'),
    ]);
    expect(problemsOf(parsed)).toEqual([
      `a.yaml: effectiveTo: expected 2024-12-31, as the next version of region 330000 (b.yaml) begins on 2025-01-01; found ${to}: ${flaw} ${HINT}`,
    ]);
  });

  test.each(['null', '2025-01-01'])('do not begin on the same day, %s', (from) => {
    const parsed = parsePacks([
      version('a.yaml', '330000', from, '2025-06-30'),
      version('b.yaml', '330000', from, 'null'),
    ]);
    expect(problemsOf(parsed)).toEqual([
      `b.yaml: effectiveFrom: expected another date than that of a.yaml, for the same region 330000; found ${from}`,
    ]);
  });

  test('begin with the first date there is only where none is before it', () => {
    const first = version('b.yaml', '330000', '0001-01-01', 'null');
    expect(problemsOf(parsePacks([first]))).toEqual([]);
    expect(problemsOf(parsePacks([version('a.yaml', '330000', 'null', '2024-12-31'), first]))).toEqual([
      'b.yaml: effectiveFrom: expected another date than that of a.yaml, for the same region 330000; found 0001-01-01',
    ]);
  });

  test('are "always" only before all others', () => {
    const parsed = parsePacks([
      version('a.yaml', '330000', '2025-01-01', 'null'),
      version('b.yaml', '330000', 'null', 'null'),
    ]);
    expect(problemsOf(parsed)[0]).toContain('b.yaml: effectiveTo: expected 2024-12-31');
  });

  test('are not compared where one has an unreadable date, lest one slip be reported as two', () => {
    const parsed = parsePacks([
      version('a.yaml', '330000', 'null', '2024-12-31'),
      version('b.yaml', '330000', '2025-01-01', '2025-13-31'),
      version('c.yaml', '330000', '2026-01-01', 'null'),
    ]);
    expect(problemsOf(parsed)).toHaveLength(1);
  });
});

describe('a template', () => {
  test('that is not there is a problem', () => {
    const parsed = parsePacks([
      version('a.yaml', '330000', 'null', 'null', 'extends: T6001'),
      version('t.yaml', 'T6000', 'null', 'null'),
    ]);
    expect(problemsOf(parsed)).toEqual([
      'a.yaml: extends: expected the name of a template that is there (T6000); found T6001',
    ]);
  });

  test('must be in force as long as its adopter', () => {
    const template = [
      version('t1.yaml', 'T1', '2025-01-01', '2025-06-30'),
      version('t2.yaml', 'T1', '2025-07-01', '2025-12-31'),
    ];
    const adopting = (from: string, to: string) =>
      problemsOf(parsePacks([...template, version('a.yaml', '330000', from, to, 'extends: T1')]));
    expect(adopting('2025-01-01', '2025-12-31')).toEqual([]);
    expect(adopting('2025-01-01', 'null')).toEqual([
      'a.yaml: extends: expected a template in force from 2025-01-01 to further notice, as this pack is; found T1',
    ]);
    expect(adopting('2024-12-31', '2025-12-31')).toHaveLength(1);
  });

  test('does not adopt itself, directly or by way of others', () => {
    const always = (name: string, region: string, adopts: string) =>
      version(name, region, 'null', 'null', `extends: ${adopts}`);
    expect(problemsOf(parsePacks([always('t.yaml', 'T1', 'T1')]))).toEqual([
      't.yaml: extends: expected a template that does not adopt itself; found T1',
    ]);
    const round = [always('a.yaml', '330000', 'T1'), always('t1.yaml', 'T1', 'T2'), always('t2.yaml', 'T2', 'T1')];
    expect(problemsOf(parsePacks(round))).toHaveLength(3);
  });
});

describe('additions', () => {
  const shipped = [
    version('s1.yaml', '330000', 'null', '2024-12-31'),
    version('s2.yaml', '330000', '2025-01-01', 'null'),
  ];
  const filesOf = (parsed: ParsedPacks): readonly string[] =>
    'packs' in parsed ? parsed.packs.map((pack) => pack.file) : parsed.problems;

  test('replace the pack of the same region and effectiveFrom, else add one', () => {
    expect(filesOf(parsePacks(shipped, [version('u.yaml', '330000', '2025-01-01', 'null')]))).toEqual([
      's1.yaml',
      'u.yaml',
    ]);
    expect(filesOf(parsePacks(shipped, [version('u.yaml', '330000', 'null', '2024-12-31')]))).toEqual([
      's2.yaml',
      'u.yaml',
    ]);
    expect(filesOf(parsePacks(shipped, [version('u.yaml', '330100', 'null', 'null')]))).toEqual([
      's1.yaml',
      's2.yaml',
      'u.yaml',
    ]);
  });

  test('do not end an open version by themselves: that is an overlap, until a copy ends it', () => {
    const later = version('u2.yaml', '330000', '2026-01-01', 'null');
    expect(filesOf(parsePacks(shipped, [later]))[0]).toMatch(
      /^s2\.yaml: effectiveTo: expected 2025-12-31.* add a copy of its file/,
    );
    const copy = version('u1.yaml', '330000', '2025-01-01', '2025-12-31');
    expect(filesOf(parsePacks(shipped, [copy, later]))).toEqual(['s1.yaml', 'u1.yaml', 'u2.yaml']);
  });

  test('may adopt a shipped template', () => {
    const template = version('t.yaml', 'T6000', 'null', 'null');
    expect(filesOf(parsePacks([template], [version('u.yaml', '330000', 'null', 'null', 'extends: T6000')]))).toEqual([
      't.yaml',
      'u.yaml',
    ]);
  });
});

test('the problems of all files are listed together', () => {
  const found = problemsOf(
    parsePacks([
      file(`${HEADER}minRemaining: -1\nminRemainng: 1\nextends: T9`, 'a.yaml'),
      file('regionCode: 33', 'b.yaml'),
      file('a: b: c', 'c.yaml'),
      version('d.yaml', '110000', 'null', 'null'),
      version('e.yaml', '110000', '2025-01-01', 'null'),
    ]),
  );
  expect(found.map((problem) => problem.slice(0, problem.indexOf(': expected')))).toEqual([
    'a.yaml:4: minRemaining',
    'a.yaml:5: minRemainng',
    'b.yaml:1: regionCode',
    'b.yaml: effectiveFrom',
    'b.yaml: effectiveTo',
    'c.yaml:1',
    'd.yaml: effectiveTo',
    'a.yaml: extends',
  ]);
});

describe('whatever the text is, parsing answers packs or problems and never throws', () => {
  const answers = (texts: readonly string[]): void => {
    const parsed = parsePacks(texts.map((text, index) => file(text, `${index}.yaml`)));
    expect('packs' in parsed || parsed.problems.length > 0).toBe(true);
  };

  test('any text', () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 3 }), answers), {
      numRuns: 500,
    });
  });

  test('texts that look like packs', () => {
    const scalar = fc.oneof(
      fc.constantFrom(
        '330000',
        '000000',
        'T1',
        'T2',
        'null',
        '~',
        '2025-01-01',
        '2024-12-31',
        '9999-12-31',
        '0000-01-01',
        'SPOUSE',
        '*a',
        '&a 1',
        '!!int 5',
      ),
      fc.string({ maxLength: 8 }),
    );
    const value = fc.oneof(
      scalar,
      fc.array(scalar).map((items) => `[${items.join(', ')}]`),
      fc.tuple(scalar, scalar).map(([key, text]) => `{${key}: [${text}]}`),
    );
    const name = fc.constantFrom('regionCode', 'effectiveFrom', 'effectiveTo', 'extends', ...PARAMETER_NAMES);
    const line = fc.tuple(name, value).map(([key, text]) => `${key}: ${text}`);
    const header = fc
      .tuple(scalar, scalar, scalar)
      .map(([code, from, to]) => `regionCode: ${code}\neffectiveFrom: ${from}\neffectiveTo: ${to}`);
    const pack = fc.tuple(header, fc.array(line, { maxLength: 5 })).map(([head, lines]) => [head, ...lines].join('\n'));
    fc.assert(fc.property(fc.array(pack, { maxLength: 4 }), answers), { numRuns: 1000 });
  });
});
