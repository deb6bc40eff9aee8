import type { Command } from 'commander';
import { type Estimate, type EstimatedFigure, type EstimateOptions, estimate } from '../api/index.ts';
import { allow, type LimitOptions } from '../guard/limits.ts';
import { addLimitOptions, dtypeOption, exit, followedOnLine, modelHelp, untilSignal, wholeNumber } from './common.ts';

interface Options extends Omit<EstimateOptions, 'signal'>, LimitOptions {
  readonly json?: boolean;
}

/** Seconds without a round. */
const PATIENCE = 300;

const examples = `
Examples:
  $ decant estimate model.onnx
  $ decant estimate runs/NAME/deploy --batch 32 --length 64
  $ decant estimate runs/NAME/models/teacher --batch 16 --train
  $ decant estimate runs/NAME/models/decoder --length 512 --tokens 128
  $ decant estimate hub:owner/name@revision --no-measure --json

Operations: 2 P D + 4 D n A forward and three times that in training, with P numbers in matrices, D tokens, n of each text and A the
width of all heads. Time: operations over the rate of a large product, or bytes of matrices over the rate at which one row reads
them, whichever is longer, and what is computed beside. Times are of computing alone, so that a busy machine tells them, too.
Exit codes: 0 done, 1 the model does not run, 2 the request was wrong, 130 interrupted.`;

/** How figures of a kind are written. */
type Write = (value: number) => string;

interface Words {
  readonly flops: Write;
  readonly bytes: Write;
  readonly ms: Write;
  readonly whole: Write;
  readonly times: Write;
}

type Row = readonly [name: string, estimated: string, measured: string, ratio: string];

const plain = (name: string, text: string): Row => [name, text, '', ''];

const row = (name: string, figure: EstimatedFigure | null, write: Write, { times }: Words): readonly Row[] => {
  if (figure === null) return [];
  const { estimated, measured, ratio } = figure;
  return [[name, write(estimated), measured === null ? '' : write(measured), ratio === null ? '' : times(ratio)]];
};

const trainingRows = ({ training }: Estimate, words: Words): readonly Row[] => {
  const { flops, gradients, optimizer, activations, recomputed, bytes, milliseconds } = training;
  const layers = recomputed === null ? [] : [plain('  with recompute', words.bytes(recomputed))];
  return [
    ['', '', '', ''],
    plain('an update', ''),
    ...row('operations', flops, words.flops, words),
    ...row('time', milliseconds, words.ms, words),
    plain('gradients', words.bytes(gradients)),
    plain('moments of AdamW', words.bytes(optimizer)),
    ...(activations === null ? [] : [plain('activations', words.bytes(activations)), ...layers]),
    ...row('memory', bytes, words.bytes, words),
  ];
};

const tokenRows = ({ newTokens }: Estimate, words: Words): readonly Row[] => {
  if (newTokens === null) return [];
  const { cacheOfToken, cache, milliseconds, seconds } = newTokens;
  return [
    ['', '', '', ''],
    plain('new tokens', ''),
    plain('cache of a token', words.bytes(cacheOfToken)),
    ...row('cache', cache, words.bytes, words),
    ...row('time of one', milliseconds, words.ms, words),
    ...(seconds === null ? [] : [plain('time of all', words.ms(1000 * seconds))]),
  ];
};

const rowsOf = (found: Estimate, words: Words): readonly Row[] => {
  const { parameters, weights, work, flops, milliseconds, bytes } = found;
  return [
    ['', 'by formula', 'measured', 'ratio'],
    plain('parameters', words.whole(parameters)),
    plain('  in matrices', words.whole(work.body)),
    plain('weights', words.bytes(weights)),
    ['', '', '', ''],
    plain('a pass', ''),
    ...row('operations', flops, words.flops, words),
    plain('  of attention', words.flops(work.attention)),
    ...row('time', milliseconds, words.ms, words),
    ...row('memory', bytes, words.bytes, words),
    ...tokenRows(found, words),
    ...trainingRows(found, words),
  ];
};

/** Digits of a figure in thousand millions. */
const billions = (value: number): string => (value / 1e9).toPrecision(4);

const rateLines = ({ rates, threads }: Estimate): readonly string[] =>
  rates === null
    ? []
    : [
        `this machine, ${threads} ${threads === 1 ? 'thread' : 'threads'}: ${billions(rates.flops)} GFLOP/s in products, ${billions(rates.bytes)} GB/s of matrices, ${billions(rates.elements)} G activations/s`,
      ];

const render = async (found: Estimate): Promise<string> => {
  const { bytes, milliseconds, whole, times } = await import('../../reports/figures.ts');
  const { layOut } = await import('../../reports/terminal.ts');
  const { manyLines, oneLine } = await import('../../reports/text.ts');
  const words: Words = {
    ...{
      bytes,
      whole,
      times,
      flops: (value) => `${billions(value)} GFLOP`,
      ms: (value) => `${milliseconds(value)} ms`,
    },
  };
  const lines = [
    `${oneLine(found.model)}, ${found.batch} x ${found.length}${found.task === undefined ? '' : `, ${found.task}`}`,
    '',
    ...layOut(rowsOf(found, words), [0]),
    '',
    ...rateLines(found),
    ...found.notes.map(oneLine),
  ];
  return `${manyLines(lines.join('\n'))}\n`;
};

const tell = async (model: string, { json, ...options }: Options, signal: AbortSignal): Promise<number> => {
  allow(options);
  const { timeout: _, memory: __, ...asked } = options;
  const found = await followedOnLine(estimate(model, { ...asked, signal }), (progress) => [
    progress.phase ?? 'estimate',
    progress,
  ]);
  const { jsonForPeople } = await import('../../reports/text.ts');
  process.stdout.write(json === true ? jsonForPeople(found) : await render(found));
  return exit.done;
};

/** `decant estimate`. */
export const estimateCommand = (program: Command, end: (code: number) => void): void => {
  const command = program
    .command('estimate')
    .argument('<model>', modelHelp)
    .summary('what a model takes by formula, beside what it took')
    .description(
      'Estimate operations, time and memory of a pass, of an update and of new tokens, beside what is measured on this machine.',
    )
    .option('--batch <n>', 'texts or images at once', wholeNumber(1, 4096), 1)
    .option(
      '--length <tokens>',
      'tokens of each text (default: 128, or as many as it takes)',
      wholeNumber(1, 1_000_000),
    )
    .option('--tokens <n>', 'new tokens that a decoder writes behind them', wholeNumber(1, 1_000_000))
    .option('--no-measure', 'run nothing: formulas alone')
    .option('--train', 'train it for some updates, too')
    .addOption(dtypeOption());
  addLimitOptions(command, PATIENCE, 1)
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(async (model: string, options: Options) =>
      end(await untilSignal((signal) => tell(model, options, signal))),
    );
};
