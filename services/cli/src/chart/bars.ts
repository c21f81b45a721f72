/** One piece of a bar; pieces with the same label are stacked. */
interface Bar {
  readonly label: string;
  readonly series: string;
  readonly value: number;
}

interface Chart {
  readonly title: string;
  readonly note: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 860;
const LABELS = 230;
const SUMS = 120;
const ROW = 30;
const BAR = 18;
const TOP = 96;
/** Colour-blind safe (Okabe and Ito), and told apart in grey. */
const COLOURS = ['#0072b2', '#e69f00', '#56b4e9', '#009e73', '#cc79a7', '#d55e00', '#999999'];
const FONT = `font-family="'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif"`;

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] ?? sign);
const written = (value: number): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/**
 * Horizontal stacked bars as a self-contained SVG: labels and series in the order given, each bar's sum at its end, values below zero left
 * of the axis. Colours come from a fixed list; readers without the picture get `<title>` and `<desc>`.
 */
export function barChart({ title, note, bars }: Chart): string {
  const labels = [...new Set(bars.map(({ label }) => label))];
  const series = [...new Set(bars.map(({ series: name }) => name))];
  const rows = labels.map((label) => {
    const own = bars.filter((bar) => bar.label === label);
    const total = (sign: 1 | -1): number => own.reduce((sum, { value }) => sum + Math.max(0, sign * value), 0);
    return { label, own, above: total(1), below: total(-1) };
  });
  const [above, below] = [Math.max(0, ...rows.map((row) => row.above)), Math.max(0, ...rows.map((row) => row.below))];
  const scale = (WIDTH - LABELS - SUMS) / Math.max(above + below, Number.EPSILON);
  const zero = LABELS + below * scale;
  const height = TOP + Math.max(1, rows.length) * ROW + 16;
  const body = rows.flatMap(({ label, own, above: right, below: left }, index) => {
    const y = TOP + index * ROW;
    const places = { right: zero, left: zero };
    const pieces = own.map(({ series: name, value }) => {
      const width = Math.abs(value) * scale;
      const x = value < 0 ? places.left - width : places.right;
      if (value < 0) places.left = x;
      else places.right = x + width;
      const fill = COLOURS[series.indexOf(name) % COLOURS.length];
      return `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${fill}"><title>${escaped(`${label} · ${name}: ${written(value)}`)}</title></rect>`;
    });
    const sum = right - left;
    return [
      `<text x="${LABELS - 10}" y="${y + 14}" text-anchor="end" font-size="13" fill="#222">${escaped(label)}</text>`,
      ...pieces,
      `<text x="${(places.right + 8).toFixed(1)}" y="${y + 14}" font-size="12" fill="#444">${written(sum)}</text>`,
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" ${FONT}>`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(rows.map((row) => `${row.label}: ${written(row.above - row.below)}`).join('; '))}</desc>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="16" y="30" font-size="18" font-weight="600" fill="#111">${escaped(title)}</text>`,
    `<text x="16" y="52" font-size="12" fill="#555">${escaped(note)}</text>`,
    ...legend(series),
    ...body,
    ...(rows.length === 0 ? [`<text x="16" y="${TOP + 14}" font-size="13" fill="#555">没有数据 · no data</text>`] : []),
    `<line x1="${zero.toFixed(1)}" y1="${TOP - 6}" x2="${zero.toFixed(1)}" y2="${height - 14}" stroke="#888"/>`,
    '</svg>',
    '',
  ].join('\n');
}

/** The names of the series beside their colours. A wide (CJK) character counts almost twice the width of a narrow one. */
function legend(series: readonly string[]): string[] {
  let x = 16;
  return series.map((name, index) => {
    const at = x;
    x += 34 + [...name].reduce((width, sign) => width + (sign > '\u2e7f' ? 12 : 7), 0);
    return `<rect x="${at}" y="64" width="12" height="12" fill="${COLOURS[index % COLOURS.length]}"/><text x="${at + 18}" y="75" font-size="12" fill="#333">${escaped(name)}</text>`;
  });
}
