import { existsSync, readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { OUTCOME_CODES } from '@repo/domain';
import { ALERT_LIMITS, CONFLICT_CODES, createMetrics, METRICS } from '@repo/observability';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const DEPLOY = new URL('../../../deploy/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, DEPLOY), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
interface RuleTest {
  readonly input_series: readonly { readonly series: string }[];
  readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts?: readonly object[] }[];
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

const { groups } = parse(read('monitoring/alerts.yaml')) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(read('monitoring/dashboard.json')) as { panels: Panel[] };
const targets = panels.flatMap((panel) => (panel.targets ?? []).map((target) => ({ ...target, title: panel.title })));

/** What Prometheus itself adds to every sample. */
const ADDED = ['job', 'instance'];

/** Every series a process serves: its name, and the values each label may have (null = any). */
async function servedSeries() {
  const series = new Map<string, Map<string, readonly string[] | null>>([['up', new Map()]]);
  const text = await createMetrics({ codes: [], partitions: 1 }).text();
  for (const [, name = ''] of text.matchAll(/^# TYPE (\S+)/gm)) series.set(name, new Map());
  for (const row of Object.values(METRICS)) {
    const labels = Object.entries(row.labels).map(([label, list]) => {
      const values: readonly string[] | string = list;
      if (values === 'codes') return [label, [...OUTCOME_CODES, 'NONE', 'OTHER']] as const;
      return [label, typeof values === 'string' ? null : values] as const;
    });
    const suffixes = row.kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    series.delete(row.name);
    for (const suffix of suffixes)
      series.set(
        `${row.name}${suffix}`,
        new Map([...labels, ...(suffix === '_bucket' ? [['le', null] as const] : [])]),
      );
  }
  return series;
}

/** What a PromQL expression names: series, the labels it matches with their values, the labels it groups by. Throws where it is no PromQL. */
function namesIn(expr: string) {
  const series: string[] = [];
  const matched: { series: string; label: string; values: readonly string[] }[] = [];
  const grouped: string[] = [];
  let inGrouping = false;
  let label = '';
  let isPattern = false;
  parser.parse(expr).iterate({
    enter: ({ name, from, to, type }) => {
      const text = expr.slice(from, to);
      if (type.isError) throw new SyntaxError(`no PromQL at ${from} of: ${expr}`);
      if (name === 'Identifier') series.push(text);
      else if (name === 'GroupingLabels') inGrouping = true;
      else if (name === 'LabelName' && inGrouping) grouped.push(text);
      else if (name === 'LabelName') label = text;
      else if (name === 'EqlRegex' || name === 'NeqRegex') isPattern = true;
      else if (name === 'EqlSingle' || name === 'Neq') isPattern = false;
      else if (name === 'StringLiteral') {
        const value = text.slice(1, -1);
        matched.push({ series: series.at(-1) ?? '', label, values: isPattern ? value.split('|') : [value] });
      }
    },
    leave: ({ name }) => {
      if (name === 'GroupingLabels') inGrouping = false;
    },
  });
  return { series, matched, grouped };
}

const expressions = [
  ...rules.map(({ alert, expr }) => [alert, expr]),
  ...targets.map(({ title, expr }) => [title, expr]),
] as [string, string][];

describe('every expression of the alerts and the dashboard', () => {
  test.each(expressions)('%s: is PromQL, and names only what is served', async (_name, expr) => {
    const served = await servedSeries();
    const { series, matched, grouped } = namesIn(expr);
    expect(series.length).toBeGreaterThan(0);
    for (const name of series) expect([...served.keys()]).toContain(name);
    for (const { series: name, label, values } of matched) {
      if (ADDED.includes(label)) continue;
      const labels = served.get(name);
      expect([...(labels?.keys() ?? [])], name).toContain(label);
      const allowed = labels?.get(label);
      if (allowed) for (const value of values) expect(allowed, `${name}{${label}}`).toContain(value);
    }
    for (const label of grouped)
      for (const name of series) expect([...ADDED, ...(served.get(name)?.keys() ?? [])], name).toContain(label);
  });

  test('together leave out no metric of ours', () => {
    const named = new Set(expressions.flatMap(([, expr]) => namesIn(expr).series));
    const used = (name: string) => ['', '_bucket', '_sum', '_count'].some((suffix) => named.has(`${name}${suffix}`));
    expect(Object.values(METRICS).filter(({ name }) => !used(name))).toEqual([]);
  });

  test.each(['sum by (topic (x)', 'settlement_claims_total{status=}', 'rate(x[5m]', ''])('%s is found out', (expr) => {
    expect(() => {
      if (namesIn(expr).series.length === 0) throw new SyntaxError('empty');
    }).toThrow(SyntaxError);
  });
});

describe('an alert', () => {
  test('has a name of its own, says how urgent it is, and shows labels that its expression leaves', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, expr, labels, annotations, ...rest } of rules) {
      expect(alert).toMatch(/^Gongji[A-Z]\w+$/);
      expect(['page', 'ticket'], alert).toContain(labels.severity);
      expect(Object.keys(annotations), alert).toEqual(['summary', 'runbook_url']);
      expect(rest.for ?? '1m', alert).toMatch(/^\d+[smh]$/);
      const { grouped, series } = namesIn(expr);
      const left = grouped.length > 0 ? grouped : [...ADDED, ...series];
      for (const [, shown = ''] of (annotations.summary ?? '').matchAll(/\$labels\.(\w+)/g))
        expect(left, alert).toContain(shown);
    }
  });

  test('begins for the board of the console where it begins for Prometheus', () => {
    for (const [alert, limit] of Object.entries(ALERT_LIMITS)) {
      const rule = rules.find((each) => each.alert === alert);
      expect(rule?.labels.severity, alert).toBe(limit.severity);
      // A process that is down is `up == 0`: one or more of them.
      const begins = alert === 'GongjiDown' ? '== 0' : `> ${limit.over}`;
      expect(rule?.expr, alert).toMatch(new RegExp(`${begins}\\b`));
      if ('withinMinutes' in limit) expect(rule?.expr, alert).toContain(`[${limit.withinMinutes}m]`);
    }
    const conflict = rules.find(({ alert }) => alert === 'GongjiConflict');
    expect(conflict?.expr).toContain(`code=~"${CONFLICT_CODES.join('|')}"`);
  });

  test('is tried by promtool on series of its own, where it tells of something and where all is well', async () => {
    const { tests } = parse(read('monitoring/alerts.test.yaml')) as { tests: RuleTest[] };
    const tried = (isTold: boolean): string[] => {
      const names = tests.flatMap(({ alert_rule_test }) =>
        alert_rule_test.flatMap(({ alertname, exp_alerts = [] }) =>
          exp_alerts.length > 0 === isTold ? alertname : [],
        ),
      );
      return [...new Set(names)].sort();
    };
    const all = rules.map(({ alert }) => alert).sort();
    expect(tried(true)).toEqual(all);
    expect(tried(false)).toEqual(all);
    const served = [...(await servedSeries()).keys()];
    for (const { series } of tests.flatMap(({ input_series }) => input_series))
      for (const name of namesIn(series).series) expect(served).toContain(name);
  });

  test('leads to a page of the runbook', () => {
    expect(existsSync(new URL('runbook.md', DEPLOY))).toBe(true);
    const anchors = [...read('runbook.md').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .trim()
        .replace(/\s+/g, '-'),
    );
    for (const { alert, annotations } of rules) {
      const [file, anchor] = (annotations.runbook_url ?? '').split('#');
      expect(file, alert).toBe('runbook.md');
      expect(anchors, alert).toContain(anchor);
    }
  });
});

test('the panels of the dashboard stand beside and below each other, each with its own id, and say what their lines are', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = new Set<string>();
  for (const {
    title,
    gridPos: { x, y, w, h },
    type,
    targets: lines,
  } of panels) {
    expect(x + w, title).toBeLessThanOrEqual(24);
    for (let column = x; column < x + w; column++)
      for (let line = y; line < y + h; line++) {
        expect(cells, title).not.toContain(`${column}/${line}`);
        cells.add(`${column}/${line}`);
      }
    if (type !== 'row')
      expect(
        lines?.every(({ legendFormat }) => legendFormat !== ''),
        title,
      ).toBe(true);
  }
});
