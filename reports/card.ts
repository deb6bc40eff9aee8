import { parseDocument } from 'yaml';
import { dataTask } from '../ground/tasks.ts';
import { latencyConditions, scoreText } from './columns.ts';
import { firstEngine, latencyOn, otherEngines } from './engines.ts';
import { bytes, range, whole } from './figures.ts';
import { inert } from './markdown.ts';
import { metricOf, type Primary } from './metric.ts';
import type { Report, StageReport } from './report.ts';
import { busyNote, largerBatch, p50Text, speedupText, textsPerSecond } from './speed.ts';
import { capital, oneLine } from './text.ts';
import { hasTooFewTexts, stageOf, tooFewTexts } from './verdict.ts';

interface Shipped {
  /** What the export calls the file: fp32, q8. */
  readonly precision: string;
  readonly stage: StageReport;
}

const shippedBy = (report: Report, { inputs }: StageReport): readonly Shipped[] =>
  Object.entries(inputs).flatMap(([precision, id]) => {
    const stage = stageOf(report, id);
    return stage === undefined || stage.quality === null ? [] : [{ precision, stage }];
  });

const metricsOf = ({ precision, stage: { quality } }: Shipped, { words, metric, more }: Primary): object[] => {
  if (quality === null) return [];
  const type = ({ hub, name }: Primary['metric']): string => hub ?? name;
  const further = more.flatMap((one) => {
    const figure = quality.more[one.metric.name];
    return figure === undefined || one.metric.hub === undefined ? [] : [{ one, figure }];
  });
  return [
    { type: type(metric), name: `${capital(words)}, ${precision}`, value: quality.score },
    ...further.map(({ one, figure }) => ({
      ...{ type: type(one.metric), name: `${capital(one.words)}, ${precision}`, value: figure.value },
    })),
  ];
};

/** The results in the form that Hugging Face reads from a card's front matter (model-index). */
const modelIndex = (report: Report, shipped: readonly Shipped[]): object[] => [
  {
    name: oneLine(report.name),
    results: [
      {
        task: { type: dataTask(report.data.task).pipeline },
        dataset: { type: oneLine(report.data.uses), name: dataName(report), split: 'test' },
        metrics: hasTooFewTexts(report) ? [] : shipped.flatMap((one) => metricsOf(one, metricOf(report))),
      },
    ],
  },
];

/** What people call the data. */
const dataName = ({ data: { name, uses } }: Pick<Report, 'data'>): string => oneLine(name ?? uses);

const rowOf = ({ precision, stage }: Shipped, report: Report, larger: boolean): string => {
  const metric = metricOf(report);
  const { writeChange } = metric;
  const { id, difference, model, latency } = stage;
  const [cell] = latency;
  const many = largerBatch(stage);
  const cells = [
    `${inert(precision)} (${inert(id)})`,
    scoreText(stage, metric),
    id === report.reference || difference === null
      ? ''
      : `${writeChange(difference.score)} ${range(difference, writeChange)}`,
    model === null ? '' : bytes(model.bytes),
    ...[p50Text(cell), textsPerSecond(cell), speedupText(cell)],
    ...(larger ? [p50Text(many), textsPerSecond(many), speedupText(many)] : []),
    ...otherEngines(report).flatMap(({ engine }) => {
      const [there] = latencyOn(stage, engine);
      return [p50Text(there), speedupText(there)];
    }),
  ];
  return `| ${cells.join(' | ')} |`;
};

/** What a client's own tokenizer makes of the test texts, where that is something else. */
const clientLines = ({ precision, stage: { client } }: Shipped, metric: Primary): string[] => {
  if (client === null || client.differing === 0) return [];
  const score = client.score === null ? '' : `: ${metric.words} ${metric.write(client.score)}${metric.unit} there`;
  const first =
    client.first === null
      ? ''
      : ` (the first: "${inert(client.first.text)}", ${inert(client.first.client.join(' '))} instead of ${inert(client.first.tokens.join(' '))})`;
  return [
    `In transformers.js ${whole(client.differing)} of ${whole(client.texts)} test texts become other tokens for ${inert(precision)}${first}${score}.`,
  ];
};

const resultLines = (report: Report, shipped: readonly Shipped[]): string[] => {
  const versus = report.reference === null ? '' : ` against ${inert(report.reference)}`;
  const conditions = latencyConditions(report);
  const metric = metricOf(report);
  const examples = shipped[0]?.stage.quality?.examples ?? 0;
  const [many] = shipped.flatMap(({ stage }) => largerBatch(stage) ?? []);
  const titles = ['p50 ms', 'texts/s', 'speed-up'];
  const larger = many === undefined ? [] : titles.map((title) => `${title}, batch ${many.batch}`);
  const elsewhere = otherEngines(report).flatMap(({ engine }) => [`p50 ms, ${engine}`, `speed-up, ${engine}`]);
  const figures = [`${metric.title} [95 %]`, `${metric.changes}${versus}`, 'bytes', ...titles, ...larger];
  const head = ['file', ...figures, ...elsewhere];
  const where = firstEngine(report) === undefined ? ` on ${inert(report.environment.cpu)}` : '';
  const busy = busyNote(report);
  return [
    '## Results',
    `| ${head.join(' | ')} |`,
    `| ${head.map((_, i) => (i === 0 ? '---' : '---:')).join(' | ')} |`,
    ...shipped.map((one) => rowOf(one, report, many !== undefined)),
    '',
    ...shipped.flatMap((one) => clientLines(one, metric)),
    ...(hasTooFewTexts(report)
      ? [`**${capital(tooFewTexts(report))}.** Read the figures above as an example.`, '']
      : []),
    ...(busy === undefined ? [] : [`${busy}.`, '']),
    `On ${whole(examples)} test ${metric.examples} of ${inert(dataName(report))}${conditions === undefined ? '' : `; latency at ${inert(conditions)}${where}`}.`,
  ];
};

/** The front matter of a card, and what stands below it; undefined of a text of another form. */
const partsOf = (card: string): { readonly front: string; readonly text: string } | undefined => {
  const found = /^---\n(.*?)^---\n/ms.exec(card);
  return found === null ? undefined : { front: found[1] ?? '', text: card.slice(found[0].length) };
};

/**
 * A model card with the title of the run that made it and its figures: in its front matter for machines, and as a table in place
 * of the line `placeholder`. Of a folder whose models were not evaluated it gets the title alone; a card of another form stays
 * as it is.
 */
export const cardWithFigures = (card: string, placeholder: string, report: Report, folder: StageReport): string => {
  const parts = partsOf(card);
  if (parts === undefined || !card.includes(placeholder)) return card;
  const shipped = shippedBy(report, folder);
  const titled = parts.text.replace(/^# .*$/m, () => `# ${inert(report.name)}`);
  if (shipped.length === 0) return `---\n${parts.front}---\n${titled}`;
  const front = parseDocument(parts.front);
  front.set('model-index', front.createNode(modelIndex(report, shipped)));
  const text = titled.replace(placeholder, () => `\n${resultLines(report, shipped).join('\n')}`);
  return `---\n${front.toString({ lineWidth: 0 })}---\n${text}`;
};
