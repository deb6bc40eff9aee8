import { bytes } from '../../../ground/bytes.ts';
import { count, percent, whole } from '../../figures.ts';
import type { ModelReport, Report, StageReport } from '../../report.ts';
import { html } from '../html.ts';
import { accent, figure, muted } from '../picture.ts';
import { type HtmlColumn, table } from '../table.ts';
import type { Section } from './section.ts';

interface Made {
  readonly stage: StageReport;
  readonly model: ModelReport;
}

const zeros = ({ parameters, nonzero }: ModelReport): number => (parameters === 0 ? 0 : 1 - nonzero / parameters);

/** What zeros save where a file is compressed. */
const savings: readonly HtmlColumn<Made>[] = [
  { title: 'gzip', cell: ({ model }) => (model.zeros === undefined ? '' : bytes(model.zeros.gzipBytes)) },
  {
    title: 'gzip without zeros',
    cell: ({ model }) => (model.zeros === undefined ? '' : bytes(model.zeros.dense.gzipBytes)),
  },
];

/** Widths, heads, layers and zeros of every model: what structured and unstructured pruning left. */
export const structureSection = async (report: Report): Promise<Section | null> => {
  const made = report.stages.flatMap((stage) => (stage.model === null ? [] : [{ stage, model: stage.model }]));
  if (made.length === 0) return null;
  const dimensions = [...new Set(made.flatMap(({ model }) => Object.keys(model.dimensions)))];
  const columns: HtmlColumn<Made>[] = [
    { title: 'stage', cell: ({ stage }) => stage.id },
    ...dimensions.map((name) => ({
      title: name,
      cell: ({ model }: Made) => (model.dimensions[name] === undefined ? '' : whole(model.dimensions[name])),
    })),
    { title: 'parameters', cell: ({ model }) => count(model.parameters) },
    { title: 'zeros %', cell: ({ model }) => percent(zeros(model)) },
    ...(made.some(({ model }) => model.zeros !== undefined) ? savings : []),
    { title: 'MACs', cell: ({ model }) => count(model.macs) },
  ];
  const rows = made.flatMap(({ stage, model }) => [
    { stage: stage.id, kind: 'non-zero', value: model.nonzero / 1e6, order: 0 },
    { stage: stage.id, kind: 'zero', value: (model.parameters - model.nonzero) / 1e6, order: 1 },
  ]);
  return {
    id: 'structure',
    title: 'Shape and zeros',
    body: html`${await figure({
      caption:
        'Structured pruning shortens a bar, unstructured pruning turns a part of it to zeros, which take space in the file but compress well.',
      summary: `Parameters by stage, zeros apart: ${made.map(({ stage, model }) => `${stage.id} ${count(model.parameters)}, ${percent(zeros(model))} % zeros`).join('; ')}.`,
      charts: [
        {
          height: 26 * made.length,
          spec: {
            data: { values: rows },
            mark: { type: 'bar', height: 12 },
            encoding: {
              y: { field: 'stage', type: 'nominal', sort: null, axis: { title: null } },
              x: { field: 'value', type: 'quantitative', axis: { title: 'million parameters', tickCount: 5 } },
              color: {
                field: 'kind',
                type: 'nominal',
                scale: { domain: ['non-zero', 'zero'], range: [accent, muted] },
              },
              order: { field: 'order', type: 'quantitative' },
            },
          },
        },
      ],
      table: table(columns, made, 'Shape of every model'),
    })}`,
  };
};
