/** A line or cloud of points in a chart. */
export interface Series {
  readonly name: string;
  readonly color: string;
  readonly points: readonly { readonly x: number; readonly y: number; readonly label?: string }[];
}

export interface Axis {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

const WIDTH = 720;
const HEIGHT = 420;
const MARGIN = { left: 64, right: 20, top: 58, bottom: 56 };

/** Colours that differ in lightness too, for readers who do not tell red from green. */
export const COLORS = ['#1b5e9e', '#c2571a', '#4d8f3c', '#7a4fa3', '#8a6d1f', '#4a4a4a'] as const;

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function text(x: number, y: number, content: string, more = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escapeText(content)}</text>`;
}

function ticks(axis: Axis): number[] {
  const count = Math.round((axis.max - axis.min) / axis.step);
  return Array.from({ length: count + 1 }, (_, i) => axis.min + i * axis.step);
}

function tickText(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function frame(title: string, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(title)}">`,
    '<style>text{font:13px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:15px}.small{font-size:11px}</style>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(MARGIN.left, 22, title, 'class="title"'),
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

function legend(series: readonly { readonly name: string; readonly color: string }[]): string[] {
  let [x, y] = [MARGIN.left, 30];
  return series.flatMap(({ name, color }) => {
    const widthPx = 15 + name.length * 6;
    if (x + widthPx > WIDTH - MARGIN.right) [x, y] = [MARGIN.left, y + 14];
    const parts = [
      `<rect x="${x}" y="${y}" width="10" height="10" fill="${color}"/>`,
      text(x + 15, y + 9, name, 'class="small"'),
    ];
    x += widthPx + 16;
    return parts;
  });
}

/** Points by two axes; joined by lines where `joined`. A line y = x where `diagonal`. */
export function pointChart(
  title: string,
  axes: { readonly x: Axis; readonly y: Axis },
  series: readonly Series[],
  how: { readonly joined: boolean; readonly diagonal: boolean },
): string {
  const px = (x: number): number =>
    MARGIN.left + ((x - axes.x.min) / (axes.x.max - axes.x.min)) * (WIDTH - MARGIN.left - MARGIN.right);
  const py = (y: number): number =>
    HEIGHT - MARGIN.bottom - ((y - axes.y.min) / (axes.y.max - axes.y.min)) * (HEIGHT - MARGIN.top - MARGIN.bottom - 8);
  const line = (x1: number, y1: number, x2: number, y2: number, style: string): string =>
    `<line x1="${px(x1).toFixed(1)}" y1="${py(y1).toFixed(1)}" x2="${px(x2).toFixed(1)}" y2="${py(y2).toFixed(1)}" ${style}/>`;
  const { x: ax, y: ay } = axes;
  const body = [
    ...ticks(ax).flatMap((x) => [
      line(x, ay.min, x, ay.max, 'stroke="#e3e3e3"'),
      text(px(x), HEIGHT - MARGIN.bottom + 18, tickText(x), 'text-anchor="middle" class="small"'),
    ]),
    ...ticks(ay).flatMap((y) => [
      line(ax.min, y, ax.max, y, 'stroke="#e3e3e3"'),
      text(MARGIN.left - 8, py(y) + 4, tickText(y), 'text-anchor="end" class="small"'),
    ]),
    text((MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 16, ax.label, 'text-anchor="middle"'),
    text(0, 0, ay.label, `text-anchor="middle" transform="translate(16 ${HEIGHT / 2}) rotate(-90)"`),
    ...(how.diagonal ? [line(ax.min, ax.min, ax.max, ax.max, 'stroke="#888" stroke-dasharray="5 4"')] : []),
    ...legend(series),
    ...series.flatMap(({ color, points }) => [
      ...(how.joined
        ? [
            `<polyline fill="none" stroke="${color}" stroke-width="2" points="${points
              .map(({ x, y }) => `${px(x).toFixed(1)},${py(y).toFixed(1)}`)
              .join(' ')}"/>`,
          ]
        : []),
      ...points.flatMap(({ x, y, label }) => [
        `<circle cx="${px(x).toFixed(1)}" cy="${py(y).toFixed(1)}" r="${how.joined ? 4 : 2.2}" fill="${color}" fill-opacity="${how.joined ? 1 : 0.55}"/>`,
        ...(label === undefined ? [] : [text(px(x) + 6, py(y) - 6, label, 'class="small"')]),
      ]),
    ]),
  ];
  return frame(title, body);
}

/** How values become heights: `heightOf` in 0–1, `textOf` above a bar. */
export interface BarScale {
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
  heightOf(value: number): number;
  textOf(value: number): string;
}

/** From 0 to 100 %; values are shares. */
export const PERCENT: BarScale = {
  ticks: [0, 0.25, 0.5, 0.75, 1].map((value) => ({ value, label: `${value * 100} %` })),
  heightOf: (share) => share,
  textOf: (share) => String(Math.round(share * 100)),
};

/** Powers of ten from `min` to `max`, both powers themselves. Values below `min` have no height. */
export function logarithmicScale(
  min: number,
  max: number,
  tickText: (value: number) => string,
  textOf: (value: number) => string,
): BarScale {
  const decades = Math.round(Math.log10(max / min));
  return {
    ticks: Array.from({ length: decades + 1 }, (_, power) => min * 10 ** power).map((value) => ({
      value,
      label: tickText(value),
    })),
    heightOf: (value) => Math.max(0, Math.min(1, Math.log10(value / min) / decades)),
    textOf,
  };
}

/** From 0 to `max` in steps. */
export function linearScale(max: number, step: number, textOf: (value: number) => string): BarScale {
  const count = Math.round(max / step);
  return {
    ticks: Array.from({ length: count + 1 }, (_, index) => ({ value: index * step, label: tickText(index * step) })),
    heightOf: (value) => Math.max(0, Math.min(1, value / max)),
    textOf,
  };
}

/** Bars narrower than this have their value written upwards, or neighbours would overlap. */
const NARROW_BAR = 22;

function barText(x: number, y: number, content: string, barWidth: number): string {
  if (barWidth >= NARROW_BAR) return text(x, y, content, 'text-anchor="middle" class="small"');
  return text(0, 0, content, `class="small" transform="translate(${(x + 4).toFixed(1)} ${y.toFixed(1)}) rotate(-90)"`);
}

/** Groups of bars; null leaves a gap. */
export function barChart(
  title: string,
  groups: readonly string[],
  series: readonly { readonly name: string; readonly color: string; readonly values: readonly (number | null)[] }[],
  scale: BarScale = PERCENT,
): string {
  const width = WIDTH - MARGIN.left - MARGIN.right;
  const height = HEIGHT - MARGIN.top - MARGIN.bottom - 8;
  const py = (value: number): number => HEIGHT - MARGIN.bottom - scale.heightOf(value) * height;
  const groupWidth = width / groups.length;
  const barWidth = (groupWidth * 0.76) / series.length;
  const body = [
    ...scale.ticks.flatMap(({ value, label }) => [
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${py(value)}" y2="${py(value)}" stroke="#e3e3e3"/>`,
      text(MARGIN.left - 8, py(value) + 4, label, 'text-anchor="end" class="small"'),
    ]),
    ...legend(series),
    ...groups.flatMap((group, g) => {
      const start = MARGIN.left + g * groupWidth + groupWidth * 0.12;
      return [
        text(
          start + (barWidth * series.length) / 2,
          HEIGHT - MARGIN.bottom + 18,
          group,
          'text-anchor="middle" class="small"',
        ),
        ...series.flatMap(({ color, values }, s) => {
          const value = values[g];
          if (value === null || value === undefined) return [];
          const x = start + s * barWidth;
          return [
            `<rect x="${x.toFixed(1)}" y="${py(value).toFixed(1)}" width="${(barWidth - 2).toFixed(1)}" height="${(scale.heightOf(value) * height).toFixed(1)}" fill="${color}"/>`,
            barText(x + barWidth / 2 - 1, py(value) - 4, scale.textOf(value), barWidth),
          ];
        }),
      ];
    }),
  ];
  return frame(title, body);
}
