import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const fileOf = (path: string): string => readFileSync(join(import.meta.dirname, '../../..', path), 'utf8');

interface Service {
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}
const { services } = parse(fileOf('deploy/compose.yaml'), { merge: true }) as { services: Record<string, Service> };

/** The settings that deploy/README.md has in its table; `_READER` stands for the name before it with another end. */
const DOCUMENTED = new Set(
  fileOf('deploy/README.md')
    .split('\n## ')
    .find((section) => section.startsWith('Settings\n'))
    ?.split('\n')
    .flatMap((line) => {
      const names = [...(/^\| ([^|]*) \|/.exec(line)?.[1]?.matchAll(/`(\w+)`/g) ?? [])].map(([, name = '']) => name);
      const [first = ''] = names;
      return names.map((name) => (name.startsWith('_') ? first.replace(/_[A-Z]+$/, name) : name));
    }),
);

/** What the image or compose's own logins decide, and what tests alone set. */
const NOT_PASSED = new Set([
  ...['GONGJI_DATABASE_URL', 'GONGJI_ADMIN_HOST', 'GONGJI_ADMIN_PORT', 'GONGJI_HTTP_PORT'],
  ...['GONGJI_CONSOLE_DIR', 'GONGJI_FAILPOINT'],
]);

/** The settings of a service, each with its default where that is a number or a text. */
function settingsIn(path: string): [name: string, preset: string | undefined][] {
  const entries = fileOf(path)
    .split(/^ {4}(?=GONGJI_\w+: )/m)
    .slice(1);
  return entries.flatMap((entry) => {
    const [, name = ''] = /^(\w+):/.exec(entry) ?? [];
    const [, text, number] = /\.default\((?:'([^']*)'|([\d_]+))\)/.exec(entry.split(',\n')[0] ?? '') ?? [];
    return NOT_PASSED.has(name) ? [] : [[name, text ?? number?.replaceAll('_', '')] as const];
  }) as [string, string | undefined][];
}

describe.each([
  ['settlement-worker', 'packages/shard-worker/src/config.ts'],
  ['sharing-worker', 'packages/shard-worker/src/config.ts'],
  ['query-api', 'services/query-api/src/config.ts'],
])('compose of %s', (service, config) => {
  const { environment = {}, volumes = [] } = services[service] ?? {};
  const settings = settingsIn(config);

  test('passes every setting, and the README has it', () => {
    expect(settings.length).toBeGreaterThan(10);
    expect(settings.filter(([name]) => !Object.hasOwn(environment, name))).toEqual([]);
    expect(settings.filter(([name]) => !DOCUMENTED.has(name))).toEqual([]);
  });

  test('has the defaults of the code', () => {
    const others = settings.flatMap(([name, preset]) => {
      const [, passed] = /^\$\{\w+:-(.+)\}$/.exec(String(environment[name])) ?? [];
      return preset === undefined || passed === undefined || passed === preset ? [] : [[name, passed, preset]];
    });
    expect(settings.filter(([, preset]) => preset !== undefined).length).toBeGreaterThan(4);
    expect(others).toEqual([]);
  });

  test('mounts the folder of policy packs where the setting says', () => {
    expect(environment.GONGJI_POLICY_DIR).toMatch(/^\$\{GONGJI_POLICY_DIR:\+\/policies\}$/);
    expect(volumes).toEqual([expect.stringMatching(/^\$\{GONGJI_POLICY_DIR:-\/dev\/null\}:\/policies:ro$/)]);
  });
});

test('the README has no setting that compose passes and it does not know', () => {
  const passed = Object.values(services).flatMap(
    ({ environment }) => JSON.stringify(environment).match(/GONGJI_\w+/g) ?? [],
  );
  const unknown = [...new Set(passed)].filter((name) => !DOCUMENTED.has(name) && !name.endsWith('_PASSWORD'));
  expect(unknown).toEqual([]);
});
