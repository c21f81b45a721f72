/** What the settlement workers report about claims. */
interface WorkerFigures {
  /** Messages that are not settled yet; null where no worker answered. */
  readonly waiting: number | null;
  /** The same for the shard in which most wait. */
  readonly mostWaiting: number | null;
  /** How many of the workers did not answer. */
  readonly silent: number;
  /** Seconds from a message to its published outcome, over the last minutes; null where nothing was settled. */
  readonly latency: { readonly p50: number; readonly p99: number } | null;
}

export type AskWorkers = () => Promise<WorkerFigures>;

export const ASK_LIMIT_MS = 2_000;
/** Workers are asked at most once in this time, ms, however many people look at the board. */
const KEPT_MS = 1_000;
/** The period that latency covers, ms: long enough to contain some claims, short enough to be current. */
const WINDOW_MS = 120_000;

/**
 * One reading of all workers: messages waiting, and for each bound in seconds how many outcomes took at most that long since the workers
 * started.
 */
interface Reading {
  readonly at: number;
  readonly waiting: number;
  readonly mostWaiting: number;
  readonly atMost: ReadonlyMap<number, number>;
}

/** Reads the metrics of the workers at these addresses (`host:port`), at most once a second. Never rejects. */
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
    // For example a worker that is being restarted; the other workers' figures are used.
    return null;
  }
}

const LINE = /^(settlement_input_lag_messages|settlement_end_to_end_seconds_bucket)\{(.*)\} (\S+)$/gm;

/** Reads the two metrics about the claims topic from Prometheus text, summed over the workers. */
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

/** A restarted worker counts from zero again; then only its counts since the restart are used. */
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
    // Slower than the last finite bound, which is all that can be said.
    return Number.isFinite(found) ? found : (steps.at(-2) ?? 0);
  };
  return { p50: within(0.5), p99: within(0.99) };
}
