import { bytes, whole } from '../../figures.ts';
import {
  changeText,
  cosine,
  furthestLayer,
  type QuantizedStage,
  quantizedStages,
  storagesIn,
  storageText,
} from '../../quantized.ts';
import type { Report } from '../../report.ts';
import { type Html, html } from '../html.ts';
import { colours, figure } from '../picture.ts';
import { type HtmlColumn, table } from '../table.ts';
import { budgetFigure } from './bits-budget.ts';
import type { Section } from './section.ts';

const stagesTable = (report: Report, stages: readonly QuantizedStage[]): Html =>
  table<QuantizedStage>(
    [
      { title: 'stage', cell: ({ id }) => id },
      { title: 'format', text: true, cell: ({ quantization }) => quantization.format },
      { title: 'matrices', text: true, cell: ({ quantization }) => storagesIn(quantization) },
      { title: 'bytes', cell: ({ bytes: size }) => (size === undefined ? '' : bytes(size)) },
      { title: 'cosine of the furthest layer', cell: ({ quantization }) => furthestText(quantization) },
      {
        title: 'on held-out texts [95 %]',
        cell: ({ quantization: { budget } }) => (budget?.drop === undefined ? '' : changeText(budget.drop, report)),
      },
    ],
    stages,
    'Models in fewer bits',
  );

const furthestText = (quantization: QuantizedStage['quantization']): string => {
  const far = furthestLayer(quantization);
  return far === undefined ? '' : `${cosine(far.mean)} (layer ${far.layer})`;
};

/** How far each layer is from what it gave before. */
const layersFigure = async (stages: readonly QuantizedStage[]): Promise<Html[]> => {
  const rows = stages.flatMap(({ id, quantization: { layers = [] } }) => layers.map((one) => ({ stage: id, ...one })));
  if (rows.length === 0) return [];
  const palette = colours(stages.map(({ id }) => id));
  const columns: readonly HtmlColumn<(typeof rows)[number]>[] = [
    { title: 'stage', cell: ({ stage }) => stage },
    { title: 'layer', cell: ({ layer }) => `${layer}` },
    { title: 'mean cosine', cell: ({ mean }) => cosine(mean) },
    { title: 'least cosine', cell: ({ least }) => cosine(least) },
  ];
  const y = { field: 'far', type: 'quantitative', axis: { title: '1 - mean cosine', tickCount: 5 } } as const;
  return [
    await figure({
      caption:
        'How far the output of each layer is from before, over the tokens of some texts: 0 is the same direction.',
      summary: `1 - cosine of every layer: ${stages.map(({ id, quantization }) => `${id} at most ${furthestText(quantization)}`).join('; ')}.`,
      charts: [
        {
          height: 200,
          spec: {
            data: { values: rows.map(({ stage, layer, mean }) => ({ stage, layer: `${layer}`, far: 1 - mean })) },
            mark: { type: 'line', strokeWidth: 2, point: { filled: true, size: 36 } },
            encoding: {
              x: { field: 'layer', type: 'ordinal', sort: null, axis: { title: 'layer', labelAngle: 0 } },
              y,
              color: { field: 'stage', type: 'nominal', scale: palette },
            },
          },
        },
      ],
      table: table(columns, rows, 'Cosine of every layer before and after'),
    }),
  ];
};

const folded = (title: string, body: Html): Html =>
  html`<details class="data"><summary>${title}</summary>${body}</details>`;

/** Every matrix, where no budget says more of it. */
const plan = ({ id, quantization: { weights, budget } }: QuantizedStage): Html[] => {
  if (budget !== undefined || weights.length === 0) return [];
  const rows = table(
    [
      { title: 'weight', cell: ({ name }) => name },
      { title: 'layer', text: true, cell: ({ depth = '' }) => depth },
      { title: 'shape', cell: ({ dims }) => dims.map(whole).join(' x ') },
      { title: 'stored in', text: true, cell: storageText },
      { title: 'before', cell: ({ bytesBefore }) => bytes(bytesBefore) },
      { title: 'after', cell: ({ bytesAfter }) => bytes(bytesAfter) },
      { title: 'why it stays', text: true, cell: ({ reason = '' }) => reason },
    ] satisfies readonly HtmlColumn<(typeof weights)[number]>[],
    weights,
    `Matrices of ${id}`,
  );
  return [folded(`Where each matrix of ${id} stands`, rows)];
};

/** How far activations were evened out, and what stays in float32. */
const besides = ({ id, quantization: { smoothing = [], islands = {}, ranges = [] } }: QuantizedStage): Html[] => {
  const wide = Object.entries(islands);
  const even = table(
    [
      { title: 'input', cell: ({ input }) => input },
      { title: 'alpha', cell: ({ alpha }) => (alpha === 0 ? 'as it is' : alpha.toFixed(2)) },
      { title: 'error of its products, of before', cell: ({ error }) => error.toFixed(3) },
      { title: 'channels far above the others', text: true, cell: ({ outliers }) => outliers.join(', ') },
    ] satisfies readonly HtmlColumn<(typeof smoothing)[number]>[],
    smoothing,
    `Inputs of products of ${id}`,
  );
  const spans = table(
    [
      { title: 'input', cell: ({ input }) => input },
      { title: 'from', cell: ({ low }) => low.toPrecision(4) },
      { title: 'to', cell: ({ high }) => high.toPrecision(4) },
      { title: 'clipped %', cell: ({ clipped }) => (100 * clipped).toPrecision(2) },
    ] satisfies readonly HtmlColumn<(typeof ranges)[number]>[],
    ranges,
    `Ranges of inputs of ${id}`,
  );
  const kept = table(
    [
      { title: 'value', cell: ([name]) => name },
      { title: 'largest magnitude', cell: ([, peak]) => whole(peak) },
    ] satisfies readonly HtmlColumn<(typeof wide)[number]>[],
    wide,
    `Values of ${id} in float32`,
  );
  return [
    ...(smoothing.every(({ alpha }) => alpha === 0) ? [] : [folded(`How far inputs of ${id} were evened out`, even)]),
    ...(ranges.length === 0 ? [] : [folded(`What inputs of ${id} span in 8 bits`, spans)]),
    ...(wide.length === 0 ? [] : [folded(`What stays in float32 in ${id}`, kept)]),
  ];
};

/** What became of every matrix that was stored in fewer bits, why, and what that changed. */
export const bitsSection = async (report: Report): Promise<Section | null> => {
  const stages = quantizedStages(report);
  if (stages.length === 0) return null;
  const budgets: Html[] = [];
  for (const stage of stages) budgets.push(...(await budgetFigure(report, stage)));
  return {
    id: 'bits',
    title: 'Fewer bits',
    body: html`${stagesTable(report, stages)}
${budgets}${await layersFigure(stages)}${stages.flatMap((stage) => [...plan(stage), ...besides(stage)])}`,
  };
};
