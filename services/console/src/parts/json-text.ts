/** Strings, marks, and what else stands between them. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+/g;
const OPENING = '{[';
const CLOSING = '}]';
/** Stands for a value that is not shown. */
export const HIDDEN = '"***"';

/**
 * JSON with a line for each field, numbers and all else as they were written; null where the text is no JSON. `hide` are names of fields
 * whose values are not shown, wherever they stand.
 */
export function laidOutJson(text: string, hide: ReadonlySet<string> = new Set()): string | null {
  if (!isJson(text)) return null;
  const tokens = text.match(TOKENS) ?? [];
  let [out, depth] = ['', 0];
  /** How deep the value lies that is not shown; undefined outside of one. */
  let hidden: number | undefined;
  tokens.forEach((token, i) => {
    const [before = '', after = ''] = [tokens[i - 1], tokens[i + 1]];
    const line = `\n${'  '.repeat(depth)}`;
    if (token === ',' && hidden === depth) hidden = undefined;
    if (CLOSING.includes(token)) {
      depth -= 1;
      out += OPENING.includes(before) ? token : `\n${'  '.repeat(depth)}${token}`;
      if (hidden !== undefined && depth < hidden) hidden = undefined;
      return;
    }
    const begins = before !== '' && (before === ',' || OPENING.includes(before));
    out += begins ? line : '';
    if (OPENING.includes(token)) depth += 1;
    if (token === ':') out += ': ';
    else if (isMark(token) || after === ':') out += token;
    else out += hidden === undefined ? token : HIDDEN;
    if (after === ':' && hidden === undefined && hide.has(JSON.parse(token) as string)) hidden = depth;
  });
  return out;
}

const isMark = (token: string): boolean => '[]{},'.includes(token);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
