import { waitFor } from '@repo/embedded';
import type { Fault } from './fault.ts';
import type { Stage } from './stage.ts';

/** What one fault did to the load. */
export interface Injected {
  readonly name: string;
  /** From its beginning until every partition answered a claim sent after it; ms. */
  readonly overAfterMs: number;
  /** The longest a claim due in that time waited for its outcome; ms. */
  readonly longestWaitMs: number;
}

const FLOWS_WITHIN_MS = 240_000;

/** Lets faults happen, side by side where a step has several lists, and after each step waits until the load flows again. */
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
    return stage.load.hasFlowedSince(over);
  };
  if (!(await waitFor(flows, FLOWS_WITHIN_MS, 100)))
    throw new Error(`the load does not flow again after: ${windows.map(({ name }) => name).join('; ')}`);
  const end = performance.now();
  return windows.map(({ name, from, to }) => {
    const until = Math.min(to, end);
    return { name, overAfterMs: until - from, longestWaitMs: stage.load.longestWait(from, until) };
  });
}

/** A table with a line per kind of fault. */
export function tableOf(injected: readonly Injected[]): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  const byName = [...Map.groupBy(injected, ({ name }) => name)].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = byName.map(([name, list]) => [
    name,
    String(list.length),
    seconds(Math.max(...list.map(({ longestWaitMs }) => longestWaitMs))),
    seconds(Math.max(...list.map(({ overAfterMs }) => overAfterMs))),
  ]);
  const rows = [['fault', 'times', 'longest wait s', 'over after s'], ...lines];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
    .join('\n');
}
