import { showProcessors } from './cost.ts';
import { type Bench, type Latency, measureLatency, measureThroughput, percentiles } from './measure.ts';

/** Latencies at one rate, round by round: a slow one, and half of what the product does from a full topic. */
export interface Rate {
  readonly name: 'slow' | 'half';
  readonly perSecond: number;
  readonly echo: readonly Latency[];
  readonly product: readonly Latency[];
}

const SLOW_PER_SECOND = 100;

/** Finds what the product does from a full topic, and then how late it answers beside the echo at each rate, in turn. */
export async function measureRates(
  bench: Bench,
  { claims, seconds, rounds }: { readonly claims: number; readonly seconds: number; readonly rounds: number },
): Promise<Rate[]> {
  const full: number[] = [];
  for (let round = 1; round <= rounds; round += 1)
    full.push((await measureThroughput(bench, 'product', claims)).claimsPerSecond);
  const half = Math.round(percentiles(full).p50 / 2);
  console.log(`from a full topic ${full.map((rate) => rate.toFixed(0)).join(' ')} claims/s; half is ${half}`);
  const rates = [
    { name: 'slow' as const, perSecond: SLOW_PER_SECOND, echo: [] as Latency[], product: [] as Latency[] },
    { name: 'half' as const, perSecond: half, echo: [] as Latency[], product: [] as Latency[] },
  ];
  for (let round = 1; round <= rounds; round += 1) {
    for (const { perSecond, ...runs } of rates) {
      for (const name of ['echo', 'product'] as const) {
        const result = await measureLatency(bench, name, { perSecond, seconds });
        runs[name].push(result);
        console.log(
          `round ${round}  ${name.padEnd(8)} p50 ${result.p50.toFixed(1)} ms, p99 ${result.p99.toFixed(1)} ms at ${perSecond} claims/s, sent ${result.producerLateMs.toFixed(0)} ms late at most, processors: ${showProcessors(result.processors)}`,
        );
      }
    }
  }
  return rates;
}
