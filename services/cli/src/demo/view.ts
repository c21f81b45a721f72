import { formatMoney, sum } from '@repo/domain';
import type { Explained, ExplainedLine } from './explain.ts';
import type { DemoState, Phase } from './tally.ts';
import { divide, grouped, type Line, pad, render, type Span, type Style, sparkline, widthOf } from './text.ts';
import { FIRST_HOUR, HOURS } from './visit.ts';
import { wordsOf } from './words.ts';

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

/** How long an example is shown before the next takes the space, where not all fit. */
const EXAMPLE_SHOWN_MS = 6_000;
const EMPTY: Line = [];

/**
 * The live view as lines, at most `rows` of them and none wider than `columns`. Made for 80 by 24 and more: with more rows there
 * are more skip reasons and more claims told; on a smaller screen the lower part is missing.
 */
export function frame(state: DemoState, { columns, rows, colour, now }: Screen & { readonly now: number }): string[] {
  const width = Math.max(20, columns - 1);
  const top = [...header(state, width), EMPTY, ...paid(state, width), EMPTY, ...rates(state, width), EMPTY];
  const room = rows - top.length;
  const reasons = skipReasons(state, width, Math.max(4, Math.min(12, Math.floor(room / 3))));
  const told = examples(state, width, { room: room - reasons.length - 1, now });
  const lines = [...top, ...reasons, EMPTY, ...told].slice(0, rows);
  return lines.map((line) => render(line, { columns: width, colour }));
}

const PHASES: Readonly<Record<Phase, string>> = {
  STARTING: 'starting the system',
  LOADING: 'loading the members',
  SETTLING: 'settling',
  AUDITING: 'auditing the books',
  DONE: 'done',
};

function header(state: DemoState, width: number): Line[] {
  const title = `共济 Gongji · a made-up hospital day · ${grouped(state.people)} people`;
  const phase = PHASES[state.phase];
  const space = Math.max(2, width - widthOf(title) - widthOf(phase));
  const loading = state.phase === 'STARTING' || state.phase === 'LOADING';
  const [count, all] = loading ? [state.loaded, state.people] : [state.answered, state.claims];
  const text = `  ${grouped(count)} of ${loading ? '' : 'about '}${grouped(all)} ${loading ? 'people loaded' : 'claims answered'}`;
  const bar = Math.max(4, width - widthOf(text) - 6);
  const done = Math.min(bar, Math.round((count / Math.max(1, all)) * bar));
  return [
    [{ text: title, style: 'bold' }, { text: ' '.repeat(space) }, { text: phase, style: 'dim' }],
    [
      { text: `${state.clock} `, style: 'bold' },
      { text: '█'.repeat(done), style: 'green' },
      { text: '░'.repeat(bar - done), style: 'dim' },
      { text },
    ],
  ];
}

/** The three sources of a payment, each with a glyph of its own, so that the picture needs no colour. */
const SOURCES = [
  { key: 'own', glyph: '█', style: 'green', zh: '本人 ', en: 'own' },
  { key: 'relatives', glyph: '▓', style: 'cyan', zh: '共济 ', en: 'relatives' },
  { key: 'cash', glyph: '░', style: 'yellow', zh: '现金 ', en: 'cash' },
] as const;

/** Who paid: one bar in three parts and, below it, yuan and percent of each. */
export function paid(state: Pick<DemoState, 'own' | 'relatives' | 'cash'>, width: number): Line[] {
  const total = sum([state.own, state.relatives, state.cash]);
  // Shares are for the eye only: as JS numbers they may be rounded, the amounts beside them never are.
  const shares = SOURCES.map(({ key }) => Number(formatMoney(state[key])));
  const cells = divide(shares, width);
  const percents = divide(shares, 100);
  const legend = (withChinese: boolean, decimals: boolean): Line =>
    SOURCES.map(({ key, glyph, style, zh, en }, index): Span => {
      const amount = grouped(formatMoney(state[key]));
      const name = `${index > 0 ? '   ' : ''}${glyph} ${withChinese ? zh : ''}${en}`;
      return { text: `${name} ${decimals ? amount : amount.slice(0, -3)} ${percents[index]}%`, style };
    });
  const fits = (line: Line): boolean => widthOf(line.map(({ text }) => text).join('')) <= width;
  return [
    [{ text: 'Who paid 谁付的钱', style: 'bold' }, { text: `  ${grouped(formatMoney(total))} yuan` }],
    SOURCES.map(({ glyph, style }, index): Span => ({ text: glyph.repeat(cells[index] ?? 0), style })),
    // Where millions of yuan do not fit with everything, the Chinese names go first, then the fen.
    [legend(true, true), legend(false, true)].find(fits) ?? legend(false, false),
  ];
}

/** Two rows of small columns: outcomes per second as they came, and the made-up day's claims by hour. */
function rates(state: DemoState, width: number): Line[] {
  const { latency } = state;
  const times = latency ? `  p50 ${grouped(latency.p50)} ms · p99 ${grouped(latency.p99)} ms` : '';
  const label = (name: string, value: string): Span => ({ text: `${pad(name, 11)}${pad(value, 7, 'left')} ` });
  const wide = Math.max(8, width - 19 - widthOf(times));
  const seconds = sparkline(state.perSecond.slice(0, -1).slice(-wide));
  const zoom = width >= 110 ? 3 : 1;
  const hours = state.byHour.slice(FIRST_HOUR, FIRST_HOUR + HOURS).flatMap((count) => Array<number>(zoom).fill(count));
  const counts = [
    `lag ${grouped(state.waiting)}`,
    `${grouped(state.refused)} refused`,
    `${grouped(state.rejected)} rejected`,
    `${grouped(state.repeats)} repeats ignored`,
  ];
  return [
    [
      label('Rate 每秒', `${grouped(state.throughput)}/s`),
      { text: pad(seconds, wide), style: 'green' },
      { text: times },
    ],
    [
      label('Hours 时段', `${FIRST_HOUR}h`),
      { text: sparkline(hours), style: 'cyan' },
      { text: ` ${FIRST_HOUR + HOURS}h  ` },
      { text: counts.slice(0, width < 100 ? 3 : 4).join(' · '), style: 'dim' },
    ],
  ];
}

/**
 * Why accounts were passed over: one bar for each of the most frequent reasons. A patient who never had an account is
 * not among them: children and residents would dwarf every reason that can change.
 */
export function skipReasons(state: Pick<DemoState, 'skips'>, width: number, count: number): Line[] {
  const without = state.skips.find(([code]) => code === 'OWN_NO_ACCOUNT')?.[1] ?? 0;
  const skips = state.skips.filter(([code]) => code !== 'OWN_NO_ACCOUNT');
  const top = skips.slice(0, count);
  const highest = top[0]?.[1] ?? 1;
  const [zh, en, number] = [23, 31, 8];
  const room = Math.max(4, width - zh - en - number - 1);
  const total = grouped(skips.reduce((all, [, times]) => all + times, 0));
  return [
    [
      { text: 'Why an account was passed over 跳过原因', style: 'bold' },
      { text: `  ${total}; without an account ${grouped(without)}` },
    ],
    ...top.map(([code, times]): Line => {
      const words = wordsOf(code);
      return [
        { text: `${pad(words.zh, zh)}${pad(words.en, en)}` },
        { text: pad('■'.repeat(Math.max(1, Math.round((times / highest) * room))), room), style: 'yellow' },
        { text: pad(grouped(times), number, 'left') },
      ];
    }),
    ...Array.from({ length: count - top.length }, () => EMPTY),
  ];
}

function examples(state: DemoState, width: number, { room, now }: { room: number; now: number }): Line[] {
  const all = state.examples;
  const start = Math.floor(now / EXAMPLE_SHOWN_MS) % Math.max(1, all.length);
  const lines: Line[] = [[{ text: 'A claim explained 逐笔说明', style: 'bold' }]];
  for (let index = 0; index < all.length; index += 1) {
    const example = all[(start + index) % all.length];
    const told = example ? explained(example, width) : [];
    // The first is shown as far as it fits; others only whole, with a line between.
    if (index > 0 && lines.length + 1 + told.length > room) break;
    lines.push(...(index > 0 ? [EMPTY] : []), ...told);
  }
  return lines;
}

const STYLES: Readonly<Record<ExplainedLine['kind'], Style>> = { OWN: 'green', RELATIVE: 'cyan', CASH: 'yellow' };

/** One claim line by line: who, then each account asked with what it paid or why it paid nothing. */
export function explained(example: Explained, width: number): Line[] {
  const who = 27;
  const room = Math.max(0, width - who - 13);
  return [
    [{ text: `${example.patient} `, style: 'bold' }, { text: example.visit }],
    ...example.lines.map((line): Line => {
      const both = line.why ? `${line.why.zh} ${line.why.en}` : '';
      const why = widthOf(both) <= room ? both : (line.why?.en ?? '');
      return [
        { text: '  ' },
        { text: pad(`${line.who.zh} ${line.who.en}`, who), style: line.amount === null ? 'dim' : STYLES[line.kind] },
        { text: `${pad(line.amount ?? 'nothing', 9, 'left')}  `, ...(line.amount === null && { style: 'dim' }) },
        { text: why, style: 'dim' },
      ];
    }),
  ];
}
