import { styleText } from 'node:util';
import stringWidth from 'string-width';

export type Style = 'green' | 'cyan' | 'yellow' | 'red' | 'bold' | 'dim';

/** A run of text in one style. */
export interface Span {
  readonly text: string;
  readonly style?: Style;
}

export type Line = readonly Span[];

/** Columns a text takes on a terminal: a Chinese character takes two. */
export const widthOf = (text: string): number => stringWidth(text);

/** The text cut to at most `width` columns, the cut marked with an ellipsis. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let result = '';
  let used = 0;
  for (const character of text) {
    used += widthOf(character);
    if (used > width - 1) break;
    result += character;
  }
  return width > 0 ? `${result}…` : '';
}

/** The words of a text in lines of at most `width` columns where its words allow it, all but the first indented by two. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length === 0) lines.push(word);
    else if (widthOf(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(`  ${word}`);
  }
  return lines;
}

/** Cut or filled with spaces to exactly `width` columns. */
export function pad(text: string, width: number, side: 'left' | 'right' = 'right'): string {
  const short = cut(text, width);
  const space = ' '.repeat(Math.max(0, width - widthOf(short)));
  return side === 'right' ? short + space : space + short;
}

/** A line as terminal text of at most `columns` columns; styles only where `colour`. */
export function render(line: Line, { columns, colour }: { columns: number; colour: boolean }): string {
  let left = columns;
  let result = '';
  for (const { text, style } of line) {
    const part = cut(text, left);
    left -= widthOf(part);
    // The caller has decided about colour (TTY, NO_COLOR, width); styleText must not decide again by looking at stdout.
    result += colour && style ? styleText(style, part, { validateStream: false }) : part;
    if (part !== text) break;
  }
  return result.trimEnd();
}

const LEVELS = '▁▂▃▄▅▆▇█';

/** Columns as high as the numbers, the highest full; nothing where there was nothing. */
export function sparkline(numbers: readonly number[]): string {
  const highest = Math.max(...numbers, 1);
  return numbers
    .map((value) => (value === 0 ? ' ' : (LEVELS[Math.ceil((value / highest) * LEVELS.length) - 1] ?? '▁')))
    .join('');
}

/** `width` cells divided in proportion, every cell given out (largest remainders first); all 0 where there is nothing to divide. */
export function divide(parts: readonly number[], width: number): number[] {
  const total = parts.reduce((sum, part) => sum + part, 0);
  if (total === 0) return parts.map(() => 0);
  const exact = parts.map((part) => (part / total) * width);
  const cells = exact.map(Math.floor);
  const spare = width - cells.reduce((sum, count) => sum + count, 0);
  const neediest = exact
    .map((share, index) => ({ index, rest: share - Math.floor(share) }))
    .sort((left, right) => right.rest - left.rest);
  for (const { index } of neediest.slice(0, spare)) cells[index] = (cells[index] ?? 0) + 1;
  return cells;
}

/** `1234567` as `1,234,567`; also amounts, `1234567.80` as `1,234,567.80`. */
export const grouped = (digits: number | string): string =>
  String(digits).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ',');
