import { type Command, InvalidArgumentError, Option } from 'commander';
import { defaultThreads, engineNames, type Job, type Progress, precisions } from '../api/index.ts';

export const DEFAULT_FILE = 'pipeline.yaml';

export const exit = { done: 0, failed: 1, wrong: 2, gate: 3, interrupted: 130 } as const;

/** What commands take that read any model. */
export const modelHelp =
  'ONNX file, folder with one (model.onnx or onnx/model.onnx), folder of a stage, of an export or of a checkpoint; or hub:owner/name@revision, or npm:NAME';

/** Gathers an option that is given more than once. */
export const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** A whole number within bounds, or an error that names them. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
  };

/** A folder that is named: an empty text is a variable that was not set, not the current folder. */
export const folderName = (text: string): string => {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Expected the path of a folder; found an empty text.');
};

export const settingOption = (): Option =>
  new Option('--set <path=value>', 'override a value of the file, e.g. data.limit=2000 or stages.teacher.epochs=3')
    .argParser(collect)
    .default([], 'none');

/** What a job comes to; what happens meanwhile is shown. */
export const followed = async <Event, Result>(
  job: Job<Event, Result>,
  show: (event: Event) => void,
): Promise<Result> => {
  for await (const event of job) show(event);
  return await job;
};

/** What a job comes to; how far what is at work is stands on one line of standard error meanwhile. */
export const followedOnLine = async <Event, Result>(
  job: Job<Event, Result>,
  told: (event: Event) => readonly [name: string, progress: Progress] | undefined,
): Promise<Result> => {
  const { progressLine } = await import('../view/progress-line.ts');
  const line = progressLine(process.stderr);
  return await followed(job, (event) => {
    const shown = told(event);
    if (shown !== undefined) line.show(...shown);
  }).finally(() => line.clear());
};

/** Of commands that take one of a folder's files. */
export const dtypeOption = (): Option =>
  new Option(
    '--dtype <name>',
    'file of an exported folder, as transformers.js calls it; q8 where there is one',
  ).choices(precisions);

/** Of commands that run models of strangers. */
export const addLimitOptions = (command: Command, patience: number, threads = defaultThreads()): Command =>
  command
    .option('--threads <n>', `threads of one operator (default: ${threads})`, wholeNumber(1, 1024))
    .option('--timeout <s>', 'seconds that one pass of texts may take', wholeNumber(1, 1_000_000), patience)
    .option(
      '--memory <MB>',
      'memory that may be taken (default: what its weights and texts should need)',
      wholeNumber(1, 10_000_000),
    );

/** Work that Ctrl-C ends at its next step: what it leaves is what it says. */
export const untilSignal = async (
  work: (signal: AbortSignal) => Promise<number>,
  interrupted = 'Interrupted.',
): Promise<number> => {
  const abort = new AbortController();
  const onSignal = (): void => abort.abort(new Error('interrupted'));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await work(abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    process.stderr.write(`${interrupted}\n`);
    return exit.interrupted;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
};

/** Adds the options that decide what is run and where. */
export const addPlanOptions = (command: Command): Command =>
  command
    .addOption(settingOption())
    .option('--store <dir>', 'folder of cached results (default: .decant/store beside the file)', folderName)
    .option('--out <dir>', 'folder of the run (default: runs/NAME beside the file)', folderName)
    .addOption(
      new Option('--engine <name>', 'what graphs run on, in place of the engine that the file names').choices([
        'auto',
        ...engineNames,
      ]),
    )
    .option('--threads <n>', `threads of one operator (default: ${defaultThreads()})`, wholeNumber(1, 1024))
    .addOption(
      new Option('--variant <id>', 'of a file with variants, those alone').argParser(collect).default([], 'all'),
    )
    .option('--until <stage>', 'leave out the stages after this one')
    .addOption(
      new Option('--force <stage>', 'run a stage, or a step of it that plan lists, again although it is cached')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--remeasure', 'measure latency again although it is cached');
