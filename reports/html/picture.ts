import type { TopLevelSpec } from 'vega-lite';
import { oneLine } from '../text.ts';
import { type Html, html, nothing, trusted } from './html.ts';

/** What every picture has in common and `draw` adds. */
type Common = '$schema' | 'config' | 'background' | 'autosize' | 'width';

type Without<Spec, Key extends PropertyKey> = Spec extends unknown ? Omit<Spec, Key> : never;

/** Data and marks of one picture; `chart` adds what all have in common. */
export interface Chart {
  /** Said above the picture when a figure holds several. */
  readonly title?: string;
  readonly spec: Without<TopLevelSpec, Common>;
  /** Rows of marks below each other: the height follows, 0 for a height of its own. */
  readonly height: number;
}

export interface Figure {
  /** One sentence that says what is seen. */
  readonly caption: string;
  /** What a screen reader hears in place of the picture. */
  readonly summary: string;
  readonly charts: readonly Chart[];
  /** The figures behind the picture. */
  readonly table: Html;
}

/** Colours of the style sheet, so that pictures follow the theme of the reader. */
export const ink = 'var(--ink)';
export const muted = 'var(--muted)';
const rule = 'var(--rule)';
export const good = 'var(--good)';
export const bad = 'var(--bad)';
export const accent = 'var(--accent)';
const series = ['var(--c1)', 'var(--c2)', 'var(--c3)', 'var(--c4)', 'var(--c5)', 'var(--c6)', 'var(--c7)', 'var(--c8)'];

/** One colour a name, the same in every picture of the page. */
export const colours = (names: readonly string[]): { domain: string[]; range: string[] } => ({
  domain: [...names],
  range: names.map((_, i) => series[i % series.length] ?? ink),
});

/** The title of an axis that begins where its figures do: lengths along it are not to be compared. */
export const notFromZero = (title: string): string => (title === '' ? 'axis not from 0' : `${title}, axis not from 0`);

/** Pixels of a picture at its natural size: readable on a phone, two beside each other on a desk. */
const WIDTH = 420;

const config = {
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: muted,
    titleColor: muted,
    titleFontWeight: 'normal',
    titleFontSize: 12,
    labelFontSize: 12,
    gridColor: rule,
    domainColor: rule,
    tickColor: rule,
    titlePadding: 8,
    labelLimit: 190,
  },
  axisY: { domain: false, ticks: false },
  legend: {
    labelColor: ink,
    titleColor: muted,
    labelFontSize: 12,
    symbolStrokeWidth: 2,
    labelLimit: 110,
    orient: 'top',
    title: null,
    columns: 3,
    columnPadding: 12,
  },
  header: { labelColor: ink, title: null },
  text: { color: ink, fontSize: 12 },
} as const;

/** The chart with its texts on one line each: vega escapes markup, not control characters. */
const plain = <Spec>(spec: Spec): Spec =>
  JSON.parse(JSON.stringify(spec), (_, value: unknown) => (typeof value === 'string' ? oneLine(value) : value));

/** SVG of a chart, equal for equal data. Vega is loaded at the first picture. */
const draw = async ({ spec, height }: Chart): Promise<string> => {
  const [{ parse, View, None, logger }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const autosize = { type: 'fit-x', contains: 'padding' } as const;
  const sizes = height > 0 ? { height } : {};
  const full = { ...plain(spec), ...sizes, width: WIDTH, background: 'transparent', autosize, config };
  const { spec: lower } = compile(full as TopLevelSpec, { logger: logger(None) });
  const view = new View(parse(lower), { renderer: 'none', logLevel: None });
  try {
    return tidy(await view.toSVG());
  } finally {
    view.finalize();
  }
};

/** Leaves out what only interaction needs, and lets the picture shrink with the page. */
const tidy = (svg: string): string =>
  svg
    .replace(/^<svg [^>]*viewBox="([\d. ]+)"[^>]*>/, '<svg viewBox="$1" aria-hidden="true" focusable="false">')
    .replace(/<path class="(?:back|fore)ground"[^>]*d="(?:M0,0h0v0h0Z)?"[^>]*\/>/g, '')
    .replace(/ (?:pointer-events|role|aria-label|aria-roledescription|font-family)="[^"]*"(?=[^<]*>)/g, '');

const chart = async (one: Chart): Promise<Html> =>
  html`<div class="chart">${one.title === undefined ? nothing : html`<p class="chart-title">${one.title}</p>`}${trusted(await draw(one))}</div>`;

/** A picture with what it says in words and, folded below it, its figures. */
export const figure = async ({ caption, summary, charts, table }: Figure): Promise<Html> => {
  const drawn: Html[] = [];
  for (const one of charts) drawn.push(await chart(one));
  return html`<figure>
<div class="charts" role="img" aria-label="${summary}">${drawn}</div>
<figcaption>${caption}</figcaption>
<details class="data"><summary>Show the figures</summary>${table}</details>
</figure>`;
};
