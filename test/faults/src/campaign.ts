import { waitFor } from '@repo/embedded';
import type { Fault } from './fault.ts';
import type { Problem } from './problems.ts';
import type { Stage } from './stage.ts';

/** What one fault did to the load. */
export interface Injected {
  readonly name: string;
  /** From its beginning until every partition answered a claim sent after it; ms of `performance.now()`. */
  readonly from: number;
  readonly until: number;
  /** The longest a claim due in that time waited for its outcome; ms. */
  readonly longestWaitMs: number;
}

const FLOWS_WITHIN_MS = 240_000;

/**
 * Lets faults happen, side by side where a step has several lists, and after each step waits until the load flows again and every
 * process, also one without shards, says that it is at work.
 */
export async function inject(stage: Stage, lists: readonly (readonly Fault[])[]): Promise<Injected[]> {
  const windows: { readonly name: string; readonly from: number; to: number }[] = [];
  const runList = async (faults: readonly Fault[]): Promise<void> => {
    for (const { name, run } of faults) {
      const window = { name, from: performance.now(), to: Number.POSITIVE_INFINITY };
      windows.push(window);
      stage.log(`fault: ${name}`);
      await run(stage);
      if (faults.length > 1) window.to = performance.now();
    }
  };
  const done = await Promise.allSettled(lists.map(runList));
  for (const result of done) if (result.status === 'rejected') throw result.reason;
  const over = performance.now();
  const flows = async (): Promise<boolean> => {
    await stage.startAll();
    return stage.load.hasFlowedSince(over) && (await stage.allReady());
  };
  if (!(await waitFor(flows, FLOWS_WITHIN_MS, 100)))
    throw new Error(
      `the load does not flow again, or a process is not ready, after: ${windows.map(({ name }) => name).join('; ')}`,
    );
  const end = performance.now();
  return windows.map(({ name, from, to }) => {
    const until = Math.min(to, end);
    return { name, from, until, longestWaitMs: stage.load.longestWait(from, until) };
  });
}

const KINDS = ['lost', 'duplicated'] as const;

/** How many claims and refunds were lost or doubled. */
export type Counts = Readonly<Record<(typeof KINDS)[number], number>>;
export type Judged = Injected & Counts;

/**
 * Charges each fault with the claims and refunds that were due while it lasted and were lost or doubled: of faults side by side each with
 * all of them. One that was due a moment before and met by the fault on its way counts for the fault before. `rest`: problems of these
 * kinds that are of no claim and no refund, or of one that was due during no fault.
 */
export function charge(
  injected: readonly Injected[],
  problems: readonly Problem[],
  dueAt: (id: string) => number | undefined,
): { readonly judged: Judged[]; readonly rest: Counts } {
  const of = (kind: Problem['kind'], isCounted: (due: number) => boolean): number => {
    const ids = problems.flatMap(({ kind: met, about }) => (met === kind && about !== undefined ? [about] : []));
    return new Set(ids.filter((id) => isCounted(dueAt(id) ?? Number.NaN))).size;
  };
  const isDuring = (due: number) => (fault: Injected) => fault.from <= due && due <= fault.until;
  const judged = injected.map((fault): Judged => {
    const count = (kind: Problem['kind']) => of(kind, (due) => isDuring(due)(fault));
    return { ...fault, lost: count('lost'), duplicated: count('duplicated') };
  });
  const nowhere = (kind: Problem['kind']) =>
    of(kind, (due) => !injected.some(isDuring(due))) +
    problems.filter((problem) => problem.kind === kind && problem.about === undefined).length;
  return { judged, rest: { lost: nowhere('lost'), duplicated: nowhere('duplicated') } };
}

/** A table with a line per kind of fault; what was lost and doubled is told once it is known. */
export function tableOf(injected: readonly (Injected & Partial<Counts>)[], rest?: Counts): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  const byName = [...Map.groupBy(injected, ({ name }) => name)].sort(([a], [b]) => (a < b ? -1 : 1));
  const isJudged = rest !== undefined;
  const lines = byName.map(([name, list]) => [
    name,
    String(list.length),
    seconds(Math.max(...list.map(({ longestWaitMs }) => longestWaitMs))),
    seconds(Math.max(...list.map(({ from, until }) => until - from))),
    ...(isJudged ? KINDS.map((kind) => String(list.reduce((sum, each) => sum + (each[kind] ?? 0), 0))) : []),
  ]);
  const header = ['fault', 'times', 'longest wait s', 'over after s', ...(isJudged ? KINDS : [])];
  const last = isJudged ? [['of no fault', '', '', '', ...KINDS.map((kind) => String(rest[kind]))]] : [];
  const rows = [header, ...lines, ...last];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
    .join('\n');
}
