import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

/**
 * What the frame and the search need, by the names in Ant Design's classes. The rest, all of it since widgets are made of others (a
 * timeline of steps), comes with the first other page. Working the styles out in the browser, as Ant Design does by itself, was a quarter
 * of the main thread's work for the first view.
 */
const FIRST = new Set(
  'alert app btn card col empty fade flex form input layout menu message modal motion move notification result row segmented skeleton slide tooltip typography wave zoom'.split(
    ' ',
  ),
);

const NAMES = ['virtual:antd-first.css', 'virtual:antd-rest.css'];

/** Ant Design's styles as two files: `virtual:antd-first.css` and `virtual:antd-rest.css`. Its variables are still set by the theme. */
export function antdStyles(): Plugin {
  return {
    name: 'antd-styles',
    resolveId: (id) => (NAMES.includes(id) ? `\0${id}` : null),
    load: async (id) => {
      const name = id.slice(1);
      if (!NAMES.includes(name)) return null;
      const path = fileURLToPath(import.meta.resolve('antd/dist/antd.css'));
      const rules = rulesOf(await readFile(path, 'utf8'));
      return rules.filter((rule) => isIn(rule, name === NAMES[0])).join('\n');
    },
  };
}

/** Where a rule goes: by the first widget it names; one that names none, such as a movement, comes first. */
function isIn(rule: string, first: boolean): boolean {
  const [names] = /^@(media|container|supports)/.test(rule) ? [rule] : rule.split('{');
  if (!rule.startsWith('@') && names?.includes('css-var-root')) return false;
  const widget = /\.ant-([a-z]+)/.exec(names ?? '')?.[1];
  return (widget === undefined || FIRST.has(widget)) === first;
}

/** The rules of a stylesheet at its top level, in order. */
export function rulesOf(css: string): string[] {
  const rules: string[] = [];
  let [depth, from, quote] = [0, 0, ''];
  for (let at = 0; at < css.length; at++) {
    const each = css[at] ?? '';
    if (quote !== '') {
      if (each === '\\') at++;
      else if (each === quote) quote = '';
    } else if (each === '"' || each === "'") quote = each;
    else if (each === '{') depth++;
    else if (each === '}' && --depth === 0) {
      rules.push(css.slice(from, at + 1).trim());
      from = at + 1;
    }
  }
  return rules;
}
