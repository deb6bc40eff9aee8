import { bytes } from '../../figures.ts';
import { changeText, harm, harmUnit, type QuantizedStage, storageText } from '../../quantized.ts';
import type { Report } from '../../report.ts';
import { type Html, html } from '../html.ts';
import { accent, type Chart, colours, figure, ink, muted } from '../picture.ts';
import { type HtmlColumn, table } from '../table.ts';

type Budget = NonNullable<QuantizedStage['quantization']['budget']>;
type Site = Budget['sites'][number];
type Point = Budget['curve'][number];

const UNKNOWN = 'elsewhere';
const [FORETOLD, JUDGED] = ['foretold', 'judged'];

const aloneOf = ({ options: [first] }: Site): number => first?.harm ?? 0;

/** Layers in the order in which they are computed. */
const ranked = (depth: string): number => {
  if (depth === 'embeddings') return -1;
  const [, layer] = /^layers\.(\d+)$/.exec(depth) ?? [];
  return layer === undefined ? Number.POSITIVE_INFINITY : Number(layer);
};

const depthsIn = ({ sites }: Budget): readonly string[] =>
  [...new Set(sites.map(({ depth = UNKNOWN }) => depth))].toSorted((a, b) => ranked(a) - ranked(b) || (a < b ? -1 : 1));

const sensitivityChart = (budget: Budget, unit: string): Chart => {
  const depths = depthsIn(budget);
  const storages = [...new Set(budget.sites.map(storageText))].toSorted();
  return {
    title: 'Loss of each weight alone in the fewest bytes, by layer',
    height: 24 * depths.length,
    spec: {
      data: {
        values: budget.sites.map((site) => ({
          depth: site.depth ?? UNKNOWN,
          harm: aloneOf(site),
          storage: storageText(site),
          weight: site.weight,
        })),
      },
      mark: { type: 'bar', height: 12, stroke: 'var(--paper)', strokeWidth: 1 },
      encoding: {
        y: { field: 'depth', type: 'nominal', sort: [...depths], axis: { title: null } },
        x: { field: 'harm', type: 'quantitative', stack: 'zero', axis: { title: unit, tickCount: 4 } },
        color: { field: 'storage', type: 'nominal', scale: colours(storages) },
        order: { field: 'harm', type: 'quantitative', sort: 'descending' },
      },
    },
  };
};

const curveChart = ({ curve, bytes: size }: Budget, unit: string): Chart => {
  const rows = curve.map(({ bytes: own, predicted, drop }) => ({
    megabytes: own / 1e6,
    predicted,
    judged: drop === undefined ? FORETOLD : JUDGED,
    chosen: own === size,
  }));
  const x = {
    field: 'megabytes',
    type: 'quantitative',
    scale: { zero: false },
    axis: { title: 'MB of the file, axis not from 0', tickCount: 5, grid: false },
  } as const;
  const y = { field: 'predicted', type: 'quantitative', axis: { title: unit, tickCount: 4 } } as const;
  return {
    title: 'What the file loses by its bytes',
    height: 200,
    spec: {
      data: { values: rows },
      layer: [
        { mark: { type: 'line', color: muted, strokeWidth: 1.5 }, encoding: { x, y } },
        {
          mark: { type: 'point', filled: true, size: 40, opacity: 1 },
          encoding: {
            ...{ x, y },
            color: {
              field: 'judged',
              type: 'nominal',
              scale: { domain: [FORETOLD, JUDGED], range: [muted, accent] },
            },
          },
        },
        {
          mark: { type: 'point', size: 160, color: ink, opacity: 1 },
          transform: [{ filter: 'datum.chosen' }],
          encoding: { x, y },
        },
      ],
    },
  };
};

const sitesTable = (id: string, { sites }: Budget, unit: string): Html =>
  table<Site>(
    [
      { title: 'weight', cell: ({ weight }) => weight },
      { title: 'layer', text: true, cell: ({ depth = '' }) => depth },
      { title: 'stored in', text: true, cell: storageText },
      { title: 'block', cell: ({ block }) => (block === undefined ? '' : `${block}`) },
      { title: `alone in the fewest bytes, ${unit}`, cell: (site) => harm(aloneOf(site)) },
      { title: `as it is stored, ${unit}`, cell: ({ harm: own }) => harm(own) },
      { title: 'why', text: true, cell: ({ why }) => why },
    ],
    sites.toSorted((a, b) => aloneOf(b) - aloneOf(a)),
    `Weights of ${id} within its budget`,
  );

const curveTable = (report: Report, id: string, { curve, bytes: size }: Budget, unit: string): Html => {
  const columns: readonly HtmlColumn<Point>[] = [
    { title: 'bytes', cell: ({ bytes: own }) => bytes(own) },
    { title: `foretold, ${unit}`, cell: ({ predicted }) => harm(predicted) },
    { title: 'on held-out texts [95 %]', cell: ({ drop }) => (drop === undefined ? '' : changeText(drop, report)) },
  ];
  return table(columns, curve, `Files of ${id} by their bytes`, { strong: ({ bytes: own }) => own === size });
};

const askedText = ({ asked: { bytes: size, maxDrop } }: Budget): string =>
  [size, maxDrop === undefined ? undefined : `a loss of ${maxDrop} at most`]
    .filter((part) => part !== undefined)
    .join(' and ');

/** What each weight loses by itself, and what the budget was spent on. */
export const budgetFigure = async (report: Report, { id, quantization }: QuantizedStage): Promise<readonly Html[]> => {
  const { budget } = quantization;
  if (budget === undefined) return [];
  const unit = harmUnit(report);
  const { predicted, reached, whole: all, bytes: size } = budget;
  const judged =
    budget.drop === undefined ? '' : ` On ${budget.drop.of} it changes by ${changeText(budget.drop, report)}.`;
  return [
    html`<h3>${id}: ${askedText(budget)}</h3>`,
    await figure({
      caption: `Every weight was measured with it alone in fewer bits. All of them in the fewest bytes lose ${harm(all)} ${unit}; the file of ${bytes(size)} (ringed) was foretold to lose ${harm(predicted)} and loses ${harm(reached)}.${judged}`,
      summary: `What layers of ${id} lose in the fewest bytes: ${depthsIn(budget)
        .map((depth) => {
          const own = budget.sites.filter((site) => (site.depth ?? UNKNOWN) === depth);
          return `${depth} ${harm(own.reduce((sum, site) => sum + aloneOf(site), 0))}`;
        })
        .join(', ')} ${unit}; then what files lose by their bytes.`,
      charts: [sensitivityChart(budget, unit), curveChart(budget, unit)],
      table: html`${sitesTable(id, budget, unit)}${curveTable(report, id, budget, unit)}`,
    }),
  ];
};
