/** What the settlement workers tell of the claims that pass through them. */
interface WorkerFigures {
  /** Messages that have come and are not yet settled; null where no worker answered. */
  readonly waiting: number | null;
  /** The same of the shard where most wait. */
  readonly mostWaiting: number | null;
  /** How many of the workers did not answer. */
  readonly silent: number;
  /** Seconds from a message to its published outcome, over the last minutes; null where nothing was settled. */
  readonly latency: { readonly p50: number; readonly p99: number } | null;
}

export type AskWorkers = () => Promise<WorkerFigures>;

export const ASK_LIMIT_MS = 2_000;
/** Many who look at the board cost the workers no more than one. */
const KEPT_MS = 1_000;
/** Latency is told over this time: long enough to have some claims in it, short enough to be of now. */
const WINDOW_MS = 120_000;

/** One reading of all workers: messages waiting, and how many outcomes took at most so many seconds, since the workers started. */
interface Reading {
  readonly at: number;
  readonly waiting: number;
  readonly mostWaiting: number;
  readonly atMost: ReadonlyMap<number, number>;
}

/** Asks the metrics of the workers at these addresses (`host:port`), at most once a second. */
export function askWorkers(addresses: readonly string[], limitMs = ASK_LIMIT_MS): AskWorkers {
  const readings: Reading[] = [];
  let asked: { readonly at: number; readonly figures: Promise<WorkerFigures> } | undefined;
  const ask = async (): Promise<WorkerFigures> => {
    const texts = await Promise.all(addresses.map((address) => metricsOf(address, limitMs)));
    const told = texts.filter((text) => text !== null);
    const silent = texts.length - told.length;
    if (told.length === 0) return { waiting: null, mostWaiting: null, silent, latency: null };
    const reading = readMetrics(told);
    readings.push(reading);
    while ((readings[1]?.at ?? reading.at) < reading.at - WINDOW_MS) readings.shift();
    const { waiting, mostWaiting } = reading;
    return { waiting, mostWaiting, silent, latency: latencyOf(readings[0], reading) };
  };
  return () => {
    if (asked === undefined || performance.now() - asked.at > KEPT_MS)
      asked = { at: performance.now(), figures: ask() };
    return asked.figures;
  };
}

async function metricsOf(address: string, limitMs: number): Promise<string | null> {
  try {
    const answer = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(limitMs) });
    return answer.ok ? await answer.text() : null;
  } catch {
    // A worker that is being restarted: the others tell what they know.
    return null;
  }
}

const LINE = /^(settlement_input_lag_messages|settlement_end_to_end_seconds_bucket)\{(.*)\} (\S+)$/gm;

/** Reads the two metrics of the Prometheus text that concern the claims topic, summed over the workers. */
function readMetrics(texts: readonly string[]): Reading {
  let waiting = 0;
  let mostWaiting = 0;
  const atMost = new Map<number, number>();
  for (const text of texts) {
    for (const [, name, labels = '', value] of text.matchAll(LINE)) {
      if (!labels.includes('topic="claims"')) continue;
      const le = /le="([^"]+)"/.exec(labels)?.[1];
      if (name === 'settlement_input_lag_messages') {
        waiting += Number(value);
        mostWaiting = Math.max(mostWaiting, Number(value));
      } else if (le !== undefined) {
        const seconds = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
        atMost.set(seconds, (atMost.get(seconds) ?? 0) + Number(value));
      }
    }
  }
  return { at: performance.now(), waiting, mostWaiting, atMost };
}

/** A worker that was restarted counts from nothing again: then what it has counted since is all there is. */
function latencyOf(before: Reading | undefined, now: Reading): WorkerFigures['latency'] {
  const steps = [...now.atMost.keys()].sort((one, other) => one - other);
  const countOf = (reading: Reading | undefined, seconds: number) => reading?.atMost.get(seconds) ?? 0;
  const restarted = countOf(before, Number.POSITIVE_INFINITY) > countOf(now, Number.POSITIVE_INFINITY);
  const base = restarted || before === now ? undefined : before;
  const counts = steps.map((seconds) => countOf(now, seconds) - countOf(base, seconds));
  const total = counts.at(-1) ?? 0;
  if (total <= 0) return null;
  const within = (share: number): number => {
    const found = steps[counts.findIndex((count) => count >= total * share)] ?? Number.POSITIVE_INFINITY;
    // Slower than the last step there is: the last step is all that can be said.
    return Number.isFinite(found) ? found : (steps.at(-2) ?? 0);
  };
  return { p50: within(0.5), p99: within(0.99) };
}
