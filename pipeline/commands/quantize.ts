import { type Command, InvalidArgumentError, Option } from 'commander';
import { metricCalled } from '../../ground/metrics/index.ts';
import { bytes, whole } from '../../reports/figures.ts';
import { jsonForPeople, oneLine } from '../../reports/text.ts';
import { type QuantizedGraph, type QuantizeOptions, quantize, quantizeFormats } from '../api/index.ts';
import { wholeNumber } from './common.ts';
import { addRewriting, type RewritingOptions, rewriting, words } from './rewriting.ts';

type FromTexts = Pick<
  QuantizeOptions,
  | 'data'
  | 'text'
  | 'pair'
  | 'label'
  | 'header'
  | 'missing'
  | 'maxLength'
  | 'calibration'
  | 'budget'
  | 'maxDrop'
  | 'threads'
>;

interface Options extends RewritingOptions, FromTexts {
  readonly skip?: readonly string[];
  readonly minElements?: number;
  readonly format?: NonNullable<QuantizeOptions['format']>;
  readonly block?: number;
  readonly symmetric?: boolean;
}

const examples = `
Examples:
  $ decant quantize model.onnx -o model_quantized.onnx
  $ decant quantize ./my-model -o ./my-int8-model
  $ decant quantize model.onnx -o int8.onnx --skip 'encoder.layer.0.*' classifier.weight
  $ decant quantize model.onnx -o int8.onnx --min-elements 0      # every matrix, however small
  $ decant quantize model.onnx -o model_q4.onnx --format q4 --block 64
  $ decant quantize ./my-model -o ./q4 --format q4 --data texts.jsonl                   # rounded by what it does on texts
  $ decant quantize ./my-model -o ./q4 --format q4 --data texts.jsonl --budget 16MB     # what loses most gets 8 bits
  $ decant quantize ./my-model -o ./q4 --format q4 --data labelled.csv --max-drop 0.5pt # the smallest that loses no more

Operators are fused first. Without --data weights are rounded by themselves. With a file of texts, 256 of them are looked at:
activations are evened out before 8-bit products, blocks are rounded by what they are multiplied with, and what float16 does
not reach stays in float32. --budget and --max-drop mix storages by what each weight alone loses. --max-drop needs labelled
texts: a quarter of them at most is looked at, and the others judge by pairs of answers, with confidence of 95 %.
--skip takes names as the file has them; * stands for any text.
Exit codes: 0 done, 1 no matrix can be quantized, 2 the request was wrong, 130 interrupted.`;

/** Points, or a number in the unit of a metric that has none. */
const maxDrop = (text: string): string | number => {
  if (text.trim() === '') throw new InvalidArgumentError('Expected points such as 0.5pt; found an empty text.');
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
};

const signed = (value: number, digits: number): string => `${value > 0 ? '+' : ''}${value.toFixed(digits)}`;

/** What texts told of what was written. */
const calibratedLines = ({ calibrated }: QuantizedGraph): readonly string[] => {
  if (calibrated === undefined) return [];
  const { texts, cosine, budget } = calibrated;
  const seen = `${whole(texts)} texts looked at; answers to made-up tokens have a mean cosine of ${cosine.mean.toFixed(4)} to the source's, ${cosine.least.toFixed(4)} at least`;
  if (budget === undefined) return [seen];
  const storages = new Map<string, number>();
  for (const { storage, block } of budget.sites) {
    const bits = /^int(\d)$/.exec(storage)?.[1];
    const called = bits === undefined ? storage : `${bits} bits in blocks of ${block}`;
    storages.set(called, (storages.get(called) ?? 0) + 1);
  }
  const spread = [...storages]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([storage, count]) => `${count} in ${storage}`);
  return [seen, `the file has ${bytes(budget.bytes)}: ${spread.join(', ')}`, ...dropLines(budget)];
};

type Budget = NonNullable<NonNullable<QuantizedGraph['calibrated']>['budget']>;

const dropLines = ({ drop }: Budget): readonly string[] => {
  if (drop === undefined) return [];
  const scale = metricCalled(drop.metric)?.scale;
  const write = (value: number | null): string =>
    value === null || scale === undefined ? `${value}` : signed(-scale.factor * value, scale.digits + 1);
  const [from, to] = [write(drop.high), write(drop.low)];
  return [
    `${drop.metric} ${write(drop.estimate)}${scale?.changeUnit ?? ''} [${from}, ${to}] beside the source on ${whole(drop.answers)} answers about ${oneLine(drop.of)}`,
  ];
};

const summary = (written: QuantizedGraph): string => {
  const { weights, quantized, kept, format } = written;
  const stored = quantizeFormats.find(({ name }) => name === format);
  const reasons = new Map<string, number>();
  for (const { reason } of weights) if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return words(written, [
    `${quantized} matrices in ${written.calibrated?.budget === undefined ? (stored?.matrices ?? format) : 'fewer bits'}, ${kept} in ${stored?.others ?? 'float'}`,
    ...[...reasons].map(([reason, count]) => `  ${count}: ${oneLine(reason)}`),
    ...calibratedLines(written),
  ]);
};

/** Options that were given, under the names that the API has for them. */
const askedOf = ({ out: _, json: __, symmetric, ...given }: Options): QuantizeOptions => ({
  ...given,
  ...(symmetric === undefined ? {} : { zeroPoint: !symmetric }),
});

const run = (path: string, options: Options): Promise<number> =>
  rewriting(
    (signal) => quantize(path, options.out, { ...askedOf(options), signal }),
    (written) => (options.json === true ? jsonForPeople(written) : summary(written)),
  );

const addTexts = (command: Command): Command =>
  command
    .option('--data <file>', 'CSV, TSV, JSON Lines or Parquet with texts to look at: nothing of it is learnt')
    .option('--budget <bytes>', 'bytes that the file may take, such as 16MB: weights that lose most get more bits')
    .option('--max-drop <points>', "what it may lose of its task's metric, such as 0.5pt, on labelled texts", maxDrop)
    .option('--calibration <n>', 'texts that are looked at (default: 256)', wholeNumber(1, 1_000_000))
    .option('--text <column>', 'column of the texts')
    .option('--pair <column>', 'column of the second texts, where texts come in pairs')
    .option('--label <column>', 'column of the classes, tags or numbers, for --max-drop')
    .option('--header', 'the first row has the names of the columns (default: the rows decide)')
    .option('--no-header', 'the first row is a text like the others: columns are numbered')
    .addOption(
      new Option('--missing <what>', 'rows without a text or a label (default: refuse)').choices(['refuse', 'drop']),
    )
    .option(
      '--max-length <tokens>',
      'cut texts to so many tokens (default: what the model reads)',
      wholeNumber(4, 8192),
    )
    .option('--threads <n>', 'threads of one operator, where texts are looked at', wholeNumber(1, 1024));

/** `decant quantize`. */
export const quantizeCommand = (program: Command, end: (code: number) => void): void => {
  const formats = quantizeFormats.map(({ name }) => name);
  const command = addRewriting(program.command('quantize'))
    .summary('store the matrices of a model in 8, 4 or 16 bits')
    .description(
      `Quantize an ONNX model of any maker.\n${quantizeFormats.map(({ name, summary: about }) => `${name}: ${about}`).join('\n')}`,
    )
    .addOption(
      new Option('--format <name>', 'what weights are stored and computed in').choices(formats).default(formats[0]),
    )
    .option('--skip <names...>', 'weights that stay in float; * stands for any text')
    .option('--min-elements <n>', 'matrices with fewer elements stay in float (default: 4096)', wholeNumber(0, 2 ** 31))
    .option('--block <n>', 'numbers that share a scale, in formats of blocks (default: 32)', wholeNumber(16, 256))
    .option('--symmetric', 'no zero point for each block, in formats of blocks');
  addTexts(command)
    .option('--json', 'print what became of each matrix as one JSON document')
    .addHelpText('after', examples)
    .action(async (path: string, options: Options) => end(await run(path, options)));
};
