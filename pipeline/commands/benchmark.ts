import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LatencyReport } from '../../reports/report.ts';
import { type Benchmark, type BenchmarkedModel, type BenchmarkOptions, benchmark, engineNames } from '../api/index.ts';
import { allow, type LimitOptions } from '../guard/limits.ts';
import { addLimitOptions, collect, dtypeOption, exit, followedOnLine, untilSignal, wholeNumber } from './common.ts';

interface Options extends Omit<BenchmarkOptions, 'batches' | 'lengths' | 'engines'>, LimitOptions {
  readonly batch: readonly number[];
  readonly length: readonly number[];
  readonly engine: readonly string[];
  readonly json?: boolean;
}

/** Seconds without a round. */
const PATIENCE = 300;

const examples = `
Examples:
  $ decant benchmark runs/NAME/deploy
  $ decant benchmark runs/NAME/models/teacher runs/NAME/models/student runs/NAME/deploy
  $ decant benchmark runs/NAME/deploy/onnx/model.onnx runs/NAME/deploy --batch 1,8,32 --length 16,128 --threads 2
  $ decant benchmark runs/NAME/deploy --engine cpu --engine webgpu --json

All models are timed in the same rounds, over several fresh processes; ratios are to the first model, with 95 % intervals. Times
with ~ were taken while other work had the processor: from those no ratio is told, but what computing alone took, beside.
Exit codes: 0 done, 1 a model does not run, 2 the request was wrong, 130 interrupted.`;

/** Numbers with commas between them. */
const numbers =
  (most: number) =>
  (text: string): readonly number[] =>
    text.split(',').map((one) => wholeNumber(1, most)(one.trim()));

const engineNamed = (name: string, before: readonly string[]): readonly string[] => {
  if (!engineNames.includes(name)) throw new InvalidArgumentError(`Allowed choices are ${engineNames.join(', ')}.`);
  return collect(name, before);
};

/** What a model takes on each engine, the first one's without a word. */
const onEngines = ({ latency, lacking, loading, otherEngines = [] }: BenchmarkedModel) => [
  { engine: undefined, latency, lacking, loading },
  ...otherEngines,
];

/** On a busy machine, what computing took alone. */
const computeCells = ({ compute }: BenchmarkedModel, { batch, length }: LatencyReport, words: Words) => {
  const cell = compute.find((one) => one.batch === batch && one.length === length);
  return cell === undefined ? ['', ''] : [words.milliseconds(cell.cpuMs), words.speedup(cell.cpuSpeedup)];
};

const ratioText = (cell: LatencyReport, words: Words): string => {
  const { speedup, speedupInterval: interval } = cell;
  if (cell.busy) return 'busy';
  if (speedup === null) return '';
  return interval === null ? words.speedup(speedup) : `${words.speedup(speedup)} ${words.range(interval, words.times)}`;
};

interface Words {
  milliseconds(ms: number): string;
  speedup(ratio: number): string;
  times(ratio: number): string;
  range(interval: { readonly low: number; readonly high: number }, write: (x: number) => string): string;
}

/** One line a model, batch and length. */
const rowsOf = async ({ models }: Benchmark): Promise<readonly (readonly string[])[]> => {
  const { bytes, milliseconds, speedup, times, range } = await import('../../reports/figures.ts');
  const { p50Text, textsPerSecond, timeText } = await import('../../reports/speed.ts');
  const { oneLine } = await import('../../reports/text.ts');
  const words: Words = { milliseconds, speedup, times, range };
  const busy = models.some(({ latency }) => latency.some((cell) => cell.busy));
  const rows = models.flatMap((model) =>
    onEngines(model).flatMap(({ engine, latency, loading }) =>
      latency.map((cell) => [
        engine === undefined ? oneLine(model.model) : `${oneLine(model.model)} (${engine})`,
        ...[`${cell.batch} x ${cell.length}`, p50Text(cell), timeText(cell, cell.p95Ms), textsPerSecond(cell)],
        ratioText(cell, words),
        ...(busy ? (engine === undefined ? computeCells(model, cell, words) : ['', '']) : []),
        ...(loading === null ? ['', ''] : [timeText(loading, loading.sessionMs), bytes(loading.peakBytes)]),
      ]),
    ),
  );
  return [
    [
      'model',
      'batch x tokens',
      'p50 ms',
      'p95 ms',
      'texts/s',
      'speed-up [95 %]',
      ...(busy ? ['CPU ms', 'by CPU time'] : []),
      'load ms',
      'peak',
    ],
    ...rows,
  ];
};

const lackingLines = ({ models }: Benchmark): readonly string[] =>
  models.flatMap((model) =>
    onEngines(model).flatMap(({ engine = 'the engine', lacking = [] }) =>
      lacking.length === 0
        ? []
        : [`${model.model}: was not timed on ${engine}, which has no kernel for ${lacking.join(', ')}`],
    ),
  );

const render = async (benchmark: Benchmark): Promise<string> => {
  const { layOut } = await import('../../reports/terminal.ts');
  const { manyLines } = await import('../../reports/text.ts');
  const { percent } = await import('../../reports/figures.ts');
  const { rounds, processes, threads, load, on } = benchmark.measurement;
  const where = on === undefined ? '' : ` on ${on.engine} (${on.device})`;
  const busy = load === null ? '' : `; other work had the processor ${percent(load.waited)} % of the time`;
  const lines = [
    ...layOut(await rowsOf(benchmark), [0, 1]),
    '',
    `${rounds} rounds over ${processes} processes, ${threads} ${threads === 1 ? 'thread' : 'threads'}${where}${busy}`,
    ...lackingLines(benchmark),
  ];
  return `${manyLines(lines.join('\n'))}\n`;
};

const time = async (models: readonly string[], options: Options, signal: AbortSignal): Promise<number> => {
  const { batch: batches, length: lengths, engine: engines, ...asked } = options;
  allow(options);
  const job = benchmark(models, {
    ...{ ...asked, batches, lengths, signal },
    ...(engines.length === 0 ? {} : { engines }),
  });
  const result = await followedOnLine(job, (progress) => [progress.phase ?? 'benchmark', progress]);
  const { jsonForPeople } = await import('../../reports/text.ts');
  process.stdout.write(options.json === true ? jsonForPeople(result) : await render(result));
  return exit.done;
};

/** `decant benchmark`. */
export const benchmarkCommand = (program: Command, end: (code: number) => void): void => {
  const command = program
    .command('benchmark')
    .argument('<model...>', 'model folders, or ONNX files in them; ratios are to the first')
    .summary('time models side by side')
    .description(
      'Time one model or several together: latency, throughput, load time and memory, as a run measures its stages.',
    )
    .addOption(new Option('--batch <n>', 'texts at once, as 1,8,32').argParser(numbers(4096)).default([1], '1'))
    .addOption(
      new Option('--length <tokens>', 'tokens of each text, as 16,128').argParser(numbers(8192)).default([32], '32'),
    )
    .addOption(
      new Option('--engine <name>', 'what it runs on, once for each engine (default: cpu)')
        .argParser(engineNamed)
        .default([], 'cpu'),
    )
    .option('--rounds <n>', 'rounds in which every model has its turn', wholeNumber(3, 1000), 24)
    .option('--processes <n>', 'fresh processes that share the rounds', wholeNumber(2, 100), 8)
    .option(
      '--loads <n>',
      'fresh processes a model for load time and memory; 0 leaves these out',
      wholeNumber(0, 50),
      3,
    )
    .addOption(dtypeOption());
  addLimitOptions(command, PATIENCE, 1)
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(async (models: readonly string[], options: Options) =>
      end(await untilSignal((signal) => time(models, options, signal))),
    );
};
