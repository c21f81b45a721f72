import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EChartsType, init } from 'echarts';
import type { Target } from './report.ts';
import { MEGABYTES_MAX, peakMegabytes, SAMPLE_SECONDS, type Soak } from './soak.ts';

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));

/** One line of `results/history.jsonl`: what a run of the benchmark found about the targets that it measured. */
export interface Recorded {
  readonly date: string;
  readonly machine: string;
  /** What the plain pipeline did: how quick, and how quiet, the machine was that day. */
  readonly plainClaimsPerSecond: number | null;
  readonly targets: Readonly<Record<string, Measured>>;
}

interface Measured extends Pick<Target, 'target' | 'wanted' | 'of'> {
  readonly value: number;
  /** The lowest and the highest of the rounds; equal where there was one. */
  readonly low: number;
  readonly high: number;
}

const rounded = (value: number): number => Number(value.toPrecision(4));

/** What of a summary is kept. */
export function toRecord({
  date,
  machine,
  targets,
}: {
  readonly date: string;
  readonly machine: { readonly cpu: string | undefined; readonly cores: number };
  readonly targets: Readonly<Record<string, Target>>;
}): Recorded {
  const measured = Object.entries(targets).flatMap(([name, { value, target, wanted, runs, of }]) => {
    if (value === undefined) return [];
    const all = runs.length === 0 ? [value] : runs;
    const [low, high] = [rounded(Math.min(...all)), rounded(Math.max(...all))];
    return [[name, { value: rounded(value), low, high, target, wanted, ...(of !== undefined && { of }) }] as const];
  });
  return {
    date,
    machine: `${machine.cpu ?? 'unknown'}, ${machine.cores} processors`,
    plainClaimsPerSecond: targets.baselineCounts?.value ?? null,
    targets: Object.fromEntries(measured),
  };
}

/**
 * What a run says beside the one before it that measured the same on as much, a line for each target. Better or worse is said only where the rounds
 * of one lie wholly beside those of the other; a single round on either side says nothing.
 */
export function compare(history: readonly Recorded[], now: Recorded): string[] {
  return Object.entries(now.targets).flatMap(([name, found]) => {
    const runs = history.flatMap(({ date, targets: { [name]: then } }) => (then === undefined ? [] : [{ date, then }]));
    const before = runs.findLast(({ then }) => then.of === found.of);
    if (before === undefined) return [];
    const { date, then } = before;
    return [`  ${name}: ${spread(found)} after ${spread(then)} on ${date.slice(0, 10)}: ${verdict(then, found)}`];
  });
}

const spread = ({ value, low, high }: Measured): string => `${value} (${low} to ${high})`;

function verdict(before: Measured, now: Measured): string {
  if (before.low === before.high || now.low === now.high) return 'rounds are too few to say more';
  if (now.low <= before.high && now.high >= before.low) return 'within the spread';
  return now.low > before.high === (now.wanted === 'at least') ? 'better' : 'WORSE';
}

/** Keeps what a run found and draws every target anew; answers what it says beside the run before. */
export function record(now: Recorded, soaks: readonly Soak[] = [], dir = RESULTS): string[] {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'history.jsonl');
  const history = existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line): Recorded => JSON.parse(line))
    : [];
  appendFileSync(file, `${JSON.stringify(now)}\n`);
  const all = [...history, now];
  for (const name of new Set(all.flatMap(({ targets }) => Object.keys(targets))))
    writeFileSync(join(dir, `${name}.svg`), draw(name, all));
  for (const soak of soaks) {
    const name = soak.stream === 'a full topic' ? 'memoryFullLoad' : 'memorySteadyLoad';
    writeFileSync(join(dir, `${name}.svg`), drawMemory(soak, MEGABYTES_MAX));
  }
  return compare(history, now);
}

/** How a target fared over the runs, with the spread of the rounds, as an SVG. */
export function draw(name: string, history: readonly Recorded[]): string {
  const runs = history.flatMap(({ date, targets, plainClaimsPerSecond }) => {
    const found = targets[name];
    return found === undefined ? [] : [{ ...found, date, plain: plainClaimsPerSecond }];
  });
  const newest = runs.at(-1);
  if (newest === undefined) throw new Error(`nothing is known of ${name}`);
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 640, height: 320 });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: {
      text: name,
      subtext: `${newest.wanted} ${newest.target}; bars: the lowest and highest round`,
      left: 12,
      top: 8,
    },
    grid: { left: 64, right: 56, top: 72, bottom: 56 },
    xAxis: {
      type: 'category',
      data: runs.map(
        ({ date, plain, of }) =>
          `${date.slice(0, 10)}${plain === null ? '' : `\nplain ${Math.round(plain)}`}${of === undefined ? '' : `\nof ${of.toLocaleString('en')}`}`,
      ),
    },
    // The line of the target is to be seen too.
    yAxis: {
      type: 'value',
      min: 0,
      max: ({ max }: { max: number }) => 1.05 * Math.max(max, newest.target),
      axisLabel: { showMaxLabel: false },
    },
    series: [
      {
        type: 'line',
        data: runs.map(({ value }) => value),
        symbolSize: 9,
        color: '#0072b2',
        label: { show: true, position: 'top', distance: 10, formatter: '{c}' },
        markLine: {
          silent: true,
          symbol: 'none',
          lineStyle: { color: '#d55e00', type: 'dashed' },
          data: [{ yAxis: newest.target }],
        },
      },
      ...runs.map(({ low, high }, i) => ({
        type: 'line' as const,
        data: [
          [i, low],
          [i, high],
        ],
        symbol: 'none',
        lineStyle: { color: '#56b4e9', width: 5, opacity: 0.6 },
      })),
    ],
  });
  return plainSvg(chart, `${name}: ${newest.value}, ${newest.wanted} ${newest.target}`);
}

/** What the worker had of memory over the time of a long run, as an SVG; `limit` in MB. */
export function drawMemory(soak: Soak, limit: number): string {
  const { stream, claimsPerSecond, rssBytes } = soak;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 640, height: 320 });
  const text = `memory of the settlement worker, MB: ${stream}`;
  const subtext = `${Math.round(claimsPerSecond)} claims/s; at most ${peakMegabytes(soak).toFixed(0)} MB, at most ${limit} wanted`;
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text, subtext, left: 12, top: 8 },
    grid: { left: 64, right: 56, top: 72, bottom: 48 },
    xAxis: { type: 'value', name: 'minutes', nameLocation: 'middle', nameGap: 28, min: 0 },
    yAxis: { type: 'value', min: 0, max: ({ max }: { max: number }) => Math.ceil(1.05 * Math.max(max, limit)) },
    series: [
      {
        type: 'line',
        color: '#0072b2',
        showSymbol: false,
        data: rssBytes.map((bytes, n) => [((n + 1) * SAMPLE_SECONDS) / 60, bytes / 1e6]),
        markLine: {
          silent: true,
          symbol: 'none',
          lineStyle: { color: '#d55e00', type: 'dashed' },
          data: [{ yAxis: limit }],
        },
      },
    ],
  });
  return plainSvg(chart, `${text}: ${subtext}`);
}

/** A chart as a picture, under a title for those who do not see it. */
function plainSvg(chart: EChartsType, title: string): string {
  const svg = chart.renderToSVGString();
  chart.dispose();
  // What is for a mouse differs from drawing to drawing.
  return svg
    .replace(/<style >.*?<\/style>/s, '')
    .replaceAll(/ class="[^"]*"/g, '')
    .replace('>', `><title>${title}</title>`);
}
