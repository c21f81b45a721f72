import type { WriteStream } from 'node:tty';
import { formatMoney, sum } from '@repo/domain';
import type { DemoState } from './tally.ts';
import { divide, grouped } from './text.ts';
import { frame } from './view.ts';

const REPAINT_MS = 200;
const PROGRESS_MS = 5_000;

/** The part of `process.stdout` a painter needs; a pipe has no columns and is no TTY. */
export type Paper = Pick<WriteStream, 'write'> & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** Colour only for a terminal, and not where NO_COLOR asks for none (no-color.org) or the terminal can do none. */
export const wantsColour = (paper: Paper, env: Readonly<Record<string, string | undefined>>): boolean =>
  paper.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';

/**
 * Shows the state until disposed. On a terminal it repaints in place, on the alternate screen, so that nothing scrolls and the
 * shell's own lines come back afterwards; a resize is taken up by the next frame. Anywhere else it prints a line every few seconds.
 */
export function startPainter(
  paper: Paper,
  options: { readonly state: () => DemoState; readonly colour: boolean },
): Disposable {
  if (paper.isTTY !== true) {
    const timer = setInterval(() => paper.write(`${progress(options.state())}\n`), PROGRESS_MS);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }
  const paint = () => {
    const screen = { columns: paper.columns ?? 80, rows: paper.rows ?? 24, colour: options.colour };
    const lines = frame(options.state(), { ...screen, now: Date.now() });
    // Written as one piece where the terminal supports mode 2026: cursor home, each line and the rest of its row cleared, then all below.
    paper.write(`\u001b[?2026h\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J\u001b[?2026l`);
  };
  const leave = () => paper.write('\u001b[?25h\u001b[?1049l');
  paper.write('\u001b[?1049h\u001b[?25l');
  // However the process ends, the shell gets its screen and its cursor back.
  process.once('exit', leave);
  paint();
  const timer = setInterval(paint, REPAINT_MS);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      process.off('exit', leave);
      leave();
    },
  };
}

/** The state in one line, for logs and pipes. */
export function progress(state: DemoState): string {
  if (state.phase === 'STARTING' || state.phase === 'LOADING')
    return `${state.phase.toLowerCase()}: ${grouped(state.loaded)} of ${grouped(state.people)} people loaded`;
  const [own, relatives, cash] = divide(
    [state.own, state.relatives, state.cash].map((amount) => Number(formatMoney(amount))),
    100,
  );
  const total = grouped(formatMoney(sum([state.own, state.relatives, state.cash])));
  return [
    `${state.phase.toLowerCase()} ${state.clock}`,
    `${grouped(state.answered)} of about ${grouped(state.claims)} claims`,
    `${grouped(state.throughput)}/s`,
    `${total} yuan: own ${own}%, relatives ${relatives}%, cash ${cash}%`,
    ...(state.latency ? [`p99 ${grouped(state.latency.p99)} ms`] : []),
  ].join(' · ');
}
