import type { DemoState } from './tally.ts';
import { grouped, type Line, pad, render, wrap } from './text.ts';
import { explained, paid, skipReasons } from './view.ts';

/** What the audit of the ledger found. */
export interface Verdict {
  readonly clean: boolean;
  /** One sentence for each check: what was compared and what came out. */
  readonly findings: readonly string[];
}

const WIDTH_MAX = 96;

/** True when every message has its outcome or dead letter, and none has two. */
export const everyClaimAnswered = (state: DemoState): boolean =>
  state.sent > 0 && state.waiting === 0 && state.unexpected === 0;

/** The end of the day in lines no wider than `columns`, and never wider than 96: totals, reasons, examples, the audit's verdict. */
export function summary(
  state: DemoState,
  options: {
    readonly verdict: Verdict | null;
    readonly seed: number;
    readonly colour: boolean;
    /** Of the paper; absent where it has no end. */
    readonly columns?: number | undefined;
  },
): string[] {
  const { verdict, seed, colour } = options;
  const width = Math.min(WIDTH_MAX, options.columns ?? WIDTH_MAX);
  const seconds = Math.max(1, state.perSecond.length);
  const row = (label: string, text: string): Line => [{ text: `${pad(label, 14)}${text}` }];
  const lines: Line[] = [
    [{ text: `共济 Gongji · a made-up hospital day, seed ${seed}`, style: 'bold' }],
    [],
    row('people', grouped(state.people)),
    row('sent', `${grouped(state.sent)} messages, ${grouped(state.repeats)} of them repeats`),
    row(
      'answered',
      `${grouped(state.answered)} claims: ${grouped(state.answered - state.refused - state.rejected)} settled, ${grouped(state.refused)} refused, ${grouped(state.rejected)} rejected`,
    ),
    row('set aside', `${grouped(state.deadLetters)} dead letters, with why`),
    row(
      'throughput',
      `${grouped(Math.round(state.answered / seconds))} claims a second over ${seconds} s, at most ${grouped(Math.max(0, ...state.perSecond))}`,
    ),
    ...(state.latency
      ? [
          row(
            'latency',
            `p50 ${grouped(state.latency.p50)} ms, p99 ${grouped(state.latency.p99)} ms from sending a claim to its outcome`,
          ),
        ]
      : []),
    [],
    ...paid(state, width),
    [],
    ...skipReasons(state, width, Math.min(12, state.skips.length)),
    [],
    ...state.examples.flatMap((example): Line[] => [...explained(example, width), []]),
    answeredLine(state),
    ...verdictLines(verdict, width),
  ];
  return lines.map((line) => render(line, { columns: width, colour }));
}

const answeredLine = (state: DemoState): Line =>
  everyClaimAnswered(state)
    ? [{ text: 'Every claim was answered exactly once.', style: 'green' }]
    : [
        {
          text: `NOT every claim was answered exactly once: ${grouped(state.waiting)} without an answer, ${grouped(state.unexpected)} answers too many.`,
          style: 'red',
        },
      ];

function verdictLines(verdict: Verdict | null, width: number): Line[] {
  if (!verdict) return [[{ text: 'The audit was not run.', style: 'red' }]];
  return [
    ...verdict.findings.flatMap((finding) => wrap(finding, width - 4)).map((text): Line => [{ text: `  ${text}` }]),
    verdict.clean ? [{ text: 'Audit: clean.', style: 'green' }] : [{ text: 'Audit: NOT clean.', style: 'red' }],
  ];
}
