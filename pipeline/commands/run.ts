import { relative } from 'node:path';
import type { Command } from 'commander';
import { gateAnnotations } from '../../reports/diff/annotations.ts';
import { gateCount } from '../../reports/gates/words.ts';
import { jsonForPeople } from '../../reports/text.ts';
import {
  gatesFail,
  type Job,
  type PlanOptions,
  type Run,
  RunError,
  type RunEvent,
  renderComparison,
  renderReport,
  run,
  type TextOptions,
} from '../api/index.ts';
import type { Failure } from '../explain.ts';
import type { View } from '../view/view.ts';
import { addPlanOptions, DEFAULT_FILE, exit, followed, wholeNumber } from './common.ts';
import { addToStepSummary } from './step-summary.ts';

interface Options extends Omit<PlanOptions, 'variants'> {
  readonly variant: readonly string[];
  readonly json?: boolean;
  readonly plain?: boolean;
  readonly strict?: boolean;
  readonly memory?: number;
  readonly offline?: boolean;
}

const examples = `
Examples:
  $ decant run                                    run pipeline.yaml
  $ decant run --set data.limit=8000              a first look on fewer texts
  $ decant run --until student                    stop after a stage
  $ decant run --set "seeds=[1,2,3]"              once for each seed: mean, deviation and the worst
  $ decant run --variant kl --variant mse         some of a file's variants
  $ decant run --force teacher                    run a stage again
  $ decant run --offline                          refuse to download anything
  $ decant run --json > report.json               the report as one document

Results are in runs/NAME: report.json, report.md, events.jsonl, models/ and the exported folders; with several
seeds those of the first, and each seed's own in runs/NAME/seed-N. Each variant has all of that in runs/NAME/ID,
and runs/NAME/comparison.html sets them side by side.
Exit codes: 0 done, 1 something failed while running, 2 the request was wrong, 3 a gate failed,
130 interrupted.`;

/** Ctrl-C once: save and stop. Twice: stop at once. */
const interruptible = (view: View): { readonly signal: AbortSignal; readonly kill: AbortSignal; off(): void } => {
  const [abort, kill] = [new AbortController(), new AbortController()];
  const onSignal = (): void => {
    if (abort.signal.aborted) kill.abort();
    else view.emit({ type: 'interrupting' });
    abort.abort(new Error('interrupted'));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const off = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  return { signal: abort.signal, kill: kill.signal, off };
};

const shownPath = (path: string): string => {
  const short = relative(process.cwd(), path);
  return short === '' ? '.' : short.startsWith('..') ? path : short;
};

/** Whether the finished run keeps the gates of its file. */
const concludeGates = ({ report, variants }: Run, strict: boolean): number => {
  const reports = variants?.map((one) => one.report) ?? [report];
  const gates = reports.flatMap((one) => one.gates);
  if (process.env.GITHUB_ACTIONS === 'true') process.stderr.write(gateAnnotations(gates, strict));
  if (!gatesFail(gates, strict)) return exit.done;
  process.stderr.write(`\nGates: ${gateCount(gates)}${strict ? ' (--strict: undecided ones fail)' : ''}.\n`);
  return exit.gate;
};

/** Why a run came to no end, in words. */
const wordsOf = ({ code, step, seed, variant, report, out, log, message }: RunError): readonly string[] => {
  const ofVariant = variant === null ? '' : ` of variant "${variant}"`;
  const ofSeed = `${ofVariant}${seed === null ? '' : ` of seed ${seed}`}`;
  if (code === 'interrupted') {
    return [
      `\nInterrupted in "${step}"${ofSeed}. What was finished is kept; run the same command again to go on from there.`,
    ];
  }
  const finished = (report?.stages.length ?? 0) > 0;
  return [
    `\nStage "${step}"${ofSeed} failed: ${message}`,
    ...(log === null ? [] : [`Details: ${shownPath(log)}`]),
    finished
      ? `What was finished before it is kept: ${shownPath(out)}. Run the same command again to go on from there.`
      : 'Run the same command again once that is mended.',
  ];
};

const exitCodeOf = ({ code }: RunError): number => (code === 'interrupted' ? exit.interrupted : exit.failed);

/** Why a run came to no end, as machines read it. */
const failureOf = (error: RunError): Failure => {
  const { code, message, step, seed, variant } = error;
  const which = { ...(variant === null ? {} : { variant }), ...(seed === null ? {} : { seed }) };
  return { code, message, exitCode: exitCodeOf(error), step, ...which };
};

/** What is shown of a run in a format: its report, or its variants side by side. */
const documentOf = async (
  { report, comparison }: Pick<Run, 'comparison'> & { readonly report: Run['report'] | null },
  format: 'json' | 'text' | 'md',
  options: TextOptions = {},
): Promise<string | undefined> => {
  if (comparison !== undefined) return await renderComparison(comparison, format, options);
  return report === null ? undefined : await renderReport(report, format, options);
};

/** The document alone, or beside what went wrong as much of the report as there is. */
const showJson = async (ended: Run | RunError): Promise<void> => {
  const { comparison, report: own } = ended;
  if (!(ended instanceof RunError)) return void process.stdout.write((await documentOf(ended, 'json')) ?? 'null');
  const report = own === null ? null : JSON.parse(await renderReport(own, 'json'));
  const beside = comparison === undefined ? {} : { comparison };
  process.stdout.write(jsonForPeople({ error: failureOf(ended), report, ...beside }));
};

const show = async (ended: Run | RunError, json: boolean): Promise<void> => {
  const { report, out } = ended;
  if (json) return await showJson(ended);
  // A run that failed before its first stage has nothing to show.
  if (ended.comparison === undefined && (report === null || report.stages.length === 0)) return;
  const { wantsColor } = await import('../view/choose.ts');
  const columns = process.stdout.columns || 120;
  process.stdout.write(`\n${await documentOf(ended, 'text', { columns, color: wantsColor(process.stdout) })}`);
  const what =
    'variants' in ended ? 'Comparison, and a folder for each variant' : 'Report, models and exported folders';
  process.stdout.write(`\n${what}: ${shownPath(out)}\n`);
};

/** The end of a run, whichever it is; what else goes wrong passes. */
const endOf = (job: Job<RunEvent, Run>, { emit }: View): Promise<Run | RunError> =>
  followed(job, emit).catch((error: unknown) => {
    if (error instanceof RunError) return error;
    throw error;
  });

const runFile = async (file: string, { variant: variants, ...options }: Options): Promise<number> => {
  const { viewFor } = await import('../view/choose.ts');
  const json = options.json === true;
  const view = await viewFor({ plain: options.plain === true, json });
  const { signal, kill, off } = interruptible(view);
  try {
    const end = await endOf(run(file, { ...options, variants, signal, kill }), view);
    await view.close();
    await show(end, json);
    if (end.report !== null) await addToStepSummary(async () => (await documentOf(end, 'md')) ?? '');
    if (!(end instanceof RunError)) return concludeGates(end, options.strict === true);
    for (const line of wordsOf(end)) process.stderr.write(`${line}\n`);
    return exitCodeOf(end);
  } finally {
    await view.close();
    off();
  }
};

/** `decant run`. */
export const runCommand = (program: Command, end: (code: number) => void): void => {
  addPlanOptions(program.command('run').argument('[file]', 'pipeline file', DEFAULT_FILE))
    .summary('run a pipeline, reusing what is cached')
    .description('Run a pipeline. Finished steps are reused from the store; an interrupted run goes on where it was.')
    .option('--json', 'print the report as one JSON document; progress goes to standard error')
    .option('--plain', 'plain lines instead of a moving view')
    .option('--offline', 'download nothing: models of the hub must be in the store (also: DECANT_OFFLINE=1)')
    .option(
      '--memory <MB>',
      'memory that a step may take (default: 95 % of what is free, or half of all if that is more)',
      wholeNumber(1, 10_000_000),
    )
    .option('--strict', 'fail where a gate is undecided, too')
    .addHelpText('after', examples)
    .action(async (file: string, options: Options) => end(await runFile(file, options)));
};
