import { dirname, join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { anyEngine, engines } from '../../engine/engines/index.ts';
import { type Diagnostic, requestProblems } from '../diagnostic.ts';
import { closure, type Plan, type Step } from '../plan/plan.ts';
import { defaultThreads } from '../plan/threads.ts';
import { nameHints } from '../yaml/suggest.ts';

export const DEFAULT_FILE = 'pipeline.yaml';

export const exit = { done: 0, failed: 1, wrong: 2, gate: 3, interrupted: 130 } as const;

/** Options of every command that plans a pipeline. */
export interface PlanOptions {
  readonly set: readonly string[];
  readonly store?: string;
  readonly out?: string;
  readonly threads?: number;
  readonly engine?: string;
  readonly until?: string;
  readonly force: readonly string[];
  readonly remeasure?: boolean;
}

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

/** The option, or DECANT_OFFLINE for every command of a shell or a container. */
export const isOffline = ({ offline }: { readonly offline?: boolean }): boolean =>
  offline === true || !['', '0', 'false'].includes(process.env.DECANT_OFFLINE ?? '');

/** A folder that is named: an empty text is a variable that was not set, not the current folder. */
export const folderName = (text: string): string => {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Expected the path of a folder; found an empty text.');
};

export const settingOption = (): Option =>
  new Option('--set <path=value>', 'override a value of the file, e.g. data.limit=2000 or stages.teacher.epochs=3')
    .argParser(collect)
    .default([], 'none');

/** Of commands that take one of a folder's files. */
export const dtypeOption = (): Option =>
  new Option('--dtype <name>', 'file of an exported folder: fp32, or q8, which is taken where there is one').choices([
    'fp32',
    'q8',
  ]);

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

const engineNames = [anyEngine, ...engines.map(({ name }) => name)];

/** Adds the options that decide what is run and where. */
export const addPlanOptions = (command: Command): Command =>
  command
    .addOption(settingOption())
    .option('--store <dir>', 'folder of cached results (default: .decant/store beside the file)', folderName)
    .option('--out <dir>', 'folder of the run (default: runs/NAME beside the file)', folderName)
    .addOption(
      new Option('--engine <name>', 'what graphs run on, in place of the engine that the file names').choices(
        engineNames,
      ),
    )
    .option('--threads <n>', `threads of one operator (default: ${defaultThreads()})`, wholeNumber(1, 1024))
    .option('--until <stage>', 'leave out the stages after this one')
    .addOption(
      new Option('--force <stage>', 'run a stage, or a step of it that plan lists, again although it is cached')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--remeasure', 'measure latency again although it is cached');

const knownStage = (plan: Plan, id: string, option: string, also: readonly string[] = []): void => {
  if (plan.stages.some((stage) => stage.id === id) || also.includes(id)) return;
  const text = `${option} ${id}`;
  const span: Diagnostic['span'] = {
    source: { name: option, text },
    start: option.length + 1,
    end: text.length,
  };
  const known = [...plan.stages.map((stage) => stage.id), ...also];
  const hints = nameHints(id, known, 'stages');
  throw requestProblems([{ code: 'unknown-stage', message: `there is no stage "${id}"`, span, hints }]);
};

const isOverAll = ({ place }: Step): boolean => place === 'all-models';

/** The plan without what comes after a stage. Latency is measured over the models that remain. */
const cutAfter = (plan: Plan, id: string): Plan => {
  const kept = plan.stages.slice(0, plan.stages.findIndex((stage) => stage.id === id) + 1);
  const ids = kept.flatMap((stage) => [stage.id, ...stage.about]);
  const models = new Set(kept.map((stage) => stage.id));
  const steps = plan.steps.map((step) =>
    isOverAll(step)
      ? {
          ...step,
          inputs: Object.fromEntries(
            Object.entries(step.inputs).filter(([, ref]) => models.has(ref.step) || ref.step === plan.dataset),
          ),
        }
      : step,
  );
  const cut = { ...plan, steps, stages: kept, until: id };
  const measured = steps.filter((step) => isOverAll(step) || step.place === 'data').map((step) => step.id);
  return { ...cut, steps: closure(cut, [...ids, ...measured]) };
};

export interface Planned {
  readonly plan: Plan;
  readonly store: string;
  readonly out: string;
  readonly threads: number;
  /** Ids of steps that run although they are cached. */
  readonly force: ReadonlySet<string>;
}

/** The plan of a file under the options of a command. */
export const planFrom = async (file: string, options: PlanOptions): Promise<Planned> => {
  const { decantCatalogue } = await import('../kinds.ts');
  const { loadPipeline } = await import('../load.ts');
  const settings = options.engine === undefined ? options.set : [...options.set, `engine=${options.engine}`];
  const whole = await loadPipeline(file, settings, decantCatalogue);
  if (options.until !== undefined) knownStage(whole, options.until, '--until');
  const plan = options.until === undefined ? whole : cutAfter(whole, options.until);
  const helpers = plan.stages.flatMap((stage) => stage.helpers);
  for (const id of options.force) knownStage(plan, id, '--force', helpers);
  const folder = dirname(resolve(file));
  return {
    plan,
    store: resolve(options.store ?? join(folder, '.decant', 'store')),
    out: resolve(options.out ?? join(folder, 'runs', plan.name)),
    threads: options.threads ?? defaultThreads(),
    force: new Set([
      ...options.force,
      ...(options.remeasure === true ? plan.steps.filter(isOverAll).map(({ id }) => id) : []),
    ]),
  };
};
