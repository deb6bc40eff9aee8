import { type Command, Option } from 'commander';
import type { Written } from '../../reports/metric.ts';
import { type EvaluatedModel, type EvaluateOptions, type Evaluation, evaluate } from '../api/index.ts';
import { allow, type LimitOptions } from '../guard/limits.ts';
import { addLimitOptions, dtypeOption, exit, followedOnLine, untilSignal, wholeNumber } from './common.ts';

interface Options extends EvaluateOptions, LimitOptions {
  readonly json?: boolean;
}

/** Seconds that one pass of texts may take. */
const PATIENCE = 60;

const examples = `
Examples:
  $ decant evaluate runs/NAME/deploy --data held-out.csv
  $ decant evaluate runs/NAME/models/teacher runs/NAME/models/student runs/NAME/deploy --data held-out.csv
  $ decant evaluate runs/NAME/deploy/onnx/model.onnx runs/NAME/deploy --data held-out.csv      # float and INT8
  $ decant evaluate ./my-model --data reviews.jsonl --text body --label stars --json

Columns are recognised as by decant init where none is named. The first model is what the others are compared with, on the same
texts: an interval without zero is a difference that these texts show.
Exit codes: 0 done, 1 a model does not run, 2 the request was wrong, 130 interrupted.`;

const figure = (written: Written, value: number, interval?: { readonly low: number; readonly high: number } | null) =>
  interval == null
    ? written.write(value)
    : `${written.write(value)} [${written.write(interval.low)}, ${written.write(interval.high)}]`;

/** One column a metric, the difference from the first model, and whether right answers changed. */
const rowsOf = async ({ task, models }: Evaluation): Promise<readonly (readonly string[])[]> => {
  const { metricOf } = await import('../../reports/metric.ts');
  const { oneLine } = await import('../../reports/text.ts');
  const primary = metricOf({ data: { task } });
  const more = primary.more.filter(({ metric }) => models.some(({ quality }) => metric.name in quality.more));
  const change = ({ comparison }: EvaluatedModel, i: number): string => {
    if (comparison === null) return i === 0 ? 'reference' : 'no pairs';
    const { estimate, low, high } = comparison.score;
    return `${primary.writeChange(estimate)} [${primary.writeChange(low)}, ${primary.writeChange(high)}]`;
  };
  const test = ({ comparison }: EvaluatedModel): string => {
    if (comparison?.mcnemar == null) return '';
    const { gained, lost, p } = comparison.mcnemar;
    return `+${Math.round(gained)} -${Math.round(lost)}, p ${p < 0.001 ? '< 0.001' : p.toFixed(3)}`;
  };
  const several = models.length > 1;
  const tested = models.some((model) => test(model) !== '');
  return [
    [
      ...['model', `${primary.title} [95 %]`],
      ...(several ? [`${primary.changes} [95 %]`] : []),
      ...(tested ? ['right answers'] : []),
      ...more.map(({ title }) => title),
    ],
    ...models.map((model, i) => [
      ...[oneLine(model.model), figure(primary, model.quality.score, model.quality.scoreInterval)],
      ...(several ? [change(model, i)] : []),
      ...(tested ? [test(model)] : []),
      ...more.map((one) => {
        const found = model.quality.more[one.metric.name];
        return found === undefined ? '' : one.write(found.value);
      }),
    ]),
  ];
};

const render = async (evaluation: Evaluation): Promise<string> => {
  const { layOut } = await import('../../reports/terminal.ts');
  const { whole } = await import('../../reports/figures.ts');
  const { manyLines, oneLine } = await import('../../reports/text.ts');
  const { data, models, task } = evaluation;
  const left = data.dropped === 0 ? '' : `, ${whole(data.dropped)} rows without a text or a label left out`;
  const notes = models.flatMap(({ model, notes: said }) => said.map((note) => `${oneLine(model)}: ${note}`));
  const lines = [
    ...layOut(await rowsOf(evaluation)),
    '',
    `${oneLine(data.file)}: ${whole(data.texts)} texts for ${task}${left}`,
    ...notes,
  ];
  return `${manyLines(lines.join('\n'))}\n`;
};

const judge = async (models: readonly string[], options: Options, signal: AbortSignal): Promise<number> => {
  allow(options);
  const job = evaluate(models, { ...options, signal });
  const evaluation = await followedOnLine(job, ({ model, progress }) => [model, progress]);
  const { jsonForPeople } = await import('../../reports/text.ts');
  process.stdout.write(options.json === true ? jsonForPeople(evaluation) : await render(evaluation));
  return exit.done;
};

/** `decant evaluate`. */
export const evaluateCommand = (program: Command, end: (code: number) => void): void => {
  const command = program
    .command('evaluate')
    .argument('<model...>', 'model folders, or ONNX files in them; the first is what the others are compared with')
    .summary('judge models by your own labelled texts')
    .description(
      'Judge one model or several by a file of labelled texts: the metrics of the task with intervals, differences by pairs.',
    )
    .requiredOption('--data <file>', 'CSV, TSV, JSON Lines or Parquet')
    .option('--text <column>', 'column of the texts')
    .option('--pair <column>', 'column of the second texts, where texts come in pairs')
    .option('--label <column>', 'column of the classes, tags or numbers')
    .option('--header', 'the first row has the names of the columns (default: the rows decide)')
    .option('--no-header', 'the first row is a text like the others: columns are numbered')
    .addOption(
      new Option('--missing <what>', 'rows without a text or a label').choices(['refuse', 'drop']).default('refuse'),
    )
    .option(
      '--max-length <tokens>',
      'cut texts to so many tokens (default: what the model reads)',
      wholeNumber(4, 8192),
    )
    .addOption(dtypeOption());
  addLimitOptions(command, PATIENCE)
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(async (models: readonly string[], options: Options) =>
      end(await untilSignal((signal) => judge(models, options, signal))),
    );
};
