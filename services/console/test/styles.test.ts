import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { antdStyles, rulesOf } from '../antd-styles.ts';

const src = join(import.meta.dirname, '../src');
const { load } = antdStyles();
const styles = async (name: string): Promise<string> =>
  String(await (load as (id: string) => Promise<string | null>)(`\0virtual:antd-${name}.css`));

/** The names in the classes of widgets that are not those of their classes. */
const CLASSES: Readonly<Record<string, string>> = { AntApp: 'app', Button: 'btn', DatePicker: 'picker' };
const classOf = (widget: string): string => CLASSES[widget] ?? widget.toLowerCase();
const widgetsIn = (files: readonly string[]): string[] => {
  const imported = files.flatMap((file) =>
    [...readFileSync(join(src, file), 'utf8').matchAll(/import \{([^}]*)\} from 'antd'/g)].flatMap(([, names = '']) =>
      names.split(',').map((name) => name.trim()),
    ),
  );
  const shown = imported.filter((name) => /^[A-Z]/.test(name) && name !== 'ConfigProvider');
  return [...new Set(shown.map((name) => classOf(name.replace(/.* as /, ''))))].sort();
};

describe('the styles of Ant Design that are built in', () => {
  test.each(widgetsIn(globSync('**/*.tsx', { cwd: src })))('have those of %s, which a page uses', async (widget) => {
    expect(`${await styles('first')}${await styles('rest')}`).toContain(`.ant-${widget}`);
  });

  test('begin with all that the frame and the search use', async () => {
    const first = await styles('first');
    const files = globSync(['app.tsx', 'shell/*.tsx', 'parts/states.tsx', 'pages/find.tsx'], { cwd: src });
    const missing = widgetsIn(files).filter((widget) => !first.includes(`.ant-${widget}`));
    expect(missing).toEqual([]);
  });

  test('set no variables, which are the theme’s', async () => {
    expect(await styles('first')).not.toMatch(/^\.css-var-root/m);
    expect(rulesOf('.a{x:"}"}@media print{.b{y:z}}').length).toBe(2);
  });
});
