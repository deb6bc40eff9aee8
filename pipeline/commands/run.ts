import { relative } from 'node:path';
import type { Command } from 'commander';
import { gateAnnotations } from '../../reports/diff/annotations.ts';
import { gatesFail } from '../../reports/gates/gate.ts';
import { gateCount } from '../../reports/gates/words.ts';
import { jsonForPeople } from '../../reports/text.ts';
import type { RunResult } from '../execute/run.ts';
import type { Failure } from '../explain.ts';
import type { View } from '../view/view.ts';
import {
  addPlanOptions,
  DEFAULT_FILE,
  exit,
  isOffline,
  type Planned,
  type PlanOptions,
  planFrom,
  wholeNumber,
} from './common.ts';

interface Options extends PlanOptions {
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
  $ decant run --force teacher                    run a stage again
  $ decant run --offline                          refuse to download anything
  $ decant run --json > report.json               the report as one document

Results are in runs/NAME: report.json, report.md, events.jsonl, models/ and the exported folders; with several
seeds those of the first, and each seed's own in runs/NAME/seed-N.
Exit codes: 0 done, 1 something failed while running, 2 the request was wrong, 3 a gate failed,
130 interrupted.`;

/** Ctrl-C once: save and stop. Twice: stop at once. */
const interruptible = (view: View): { readonly abort: AbortSignal; readonly kill: AbortSignal; off(): void } => {
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
  return { abort: abort.signal, kill: kill.signal, off };
};

const shownPath = (path: string): string => {
  const short = relative(process.cwd(), path);
  return short === '' ? '.' : short.startsWith('..') ? path : short;
};

/** Whether the finished run keeps the gates of its file. */
const concludeGates = ({ report }: RunResult, strict: boolean): number => {
  const gates = report?.gates ?? [];
  if (process.env.GITHUB_ACTIONS === 'true') process.stderr.write(gateAnnotations(gates, strict));
  if (!gatesFail(gates, strict)) return exit.done;
  process.stderr.write(`\nGates: ${gateCount(gates)}${strict ? ' (--strict: undecided ones fail)' : ''}.\n`);
  return exit.gate;
};

/** The end of a run in words and as an exit code. */
const conclude = (result: RunResult, { out }: Planned, strict: boolean): number => {
  const { end, seed, report } = result;
  const ofSeed = seed === null ? '' : ` of seed ${seed}`;
  if (end.kind === 'done') return concludeGates(result, strict);
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  if (end.kind === 'interrupted') {
    say(
      `\nInterrupted in "${end.step}"${ofSeed}. What was finished is kept; run the same command again to go on from there.`,
    );
    return exit.interrupted;
  }
  say(`\nStage "${end.step}"${ofSeed} failed: ${end.message}`);
  if (end.log !== null) say(`Details: ${shownPath(end.log)}`);
  const finished = (report?.stages.length ?? 0) > 0;
  say(
    finished
      ? `What was finished before it is kept: ${shownPath(out)}. Run the same command again to go on from there.`
      : 'Run the same command again once that is mended.',
  );
  return exit.failed;
};

/** Why a run came to no end, as machines read it. */
const failureOf = ({ end, seed }: RunResult): Failure | undefined => {
  if (end.kind === 'done') return undefined;
  const where = { step: end.step, ...(seed === null ? {} : { seed }) };
  return end.kind === 'failed'
    ? { code: end.code, message: end.message, exitCode: exit.failed, ...where }
    : { code: 'interrupted', message: `interrupted in "${end.step}"`, exitCode: exit.interrupted, ...where };
};

/** The report alone, or beside what went wrong as much of it as there is. */
const showJson = async (result: RunResult): Promise<void> => {
  const { reportJson } = await import('../../reports/schema/index.ts');
  const report = result.report === null ? null : reportJson(result.report);
  const error = failureOf(result);
  process.stdout.write(jsonForPeople(error === undefined ? report : { error, report }));
};

const show = async (result: RunResult, planned: Planned, json: boolean): Promise<void> => {
  const { report } = result;
  if (json) return await showJson(result);
  if (report === null) return;
  // A run that failed before its first stage has nothing to show.
  if (report.stages.length === 0) return;
  const { renderTable } = await import('../../reports/terminal.ts');
  const { wantsColor } = await import('../view/choose.ts');
  const columns = process.stdout.columns || 120;
  process.stdout.write(`\n${renderTable(report, { columns, color: wantsColor(process.stdout) })}`);
  process.stdout.write(`\nReport, models and exported folders: ${shownPath(planned.out)}\n`);
};

const run = async (file: string, options: Options): Promise<number> => {
  const planned = await planFrom(file, options);
  const { viewFor } = await import('../view/choose.ts');
  const { runPipeline } = await import('../execute/run.ts');
  const { decantCatalogue } = await import('../kinds.ts');
  const json = options.json === true;
  const view = await viewFor({ plain: options.plain === true, json });
  const { abort, kill, off } = interruptible(view);
  try {
    const offline = isOffline(options);
    const { emit } = view;
    const { memory } = options;
    const result = await runPipeline({ ...planned, catalogue: decantCatalogue, offline, memory, abort, kill, emit });
    await view.close();
    await show(result, planned, json);
    return conclude(result, planned, options.strict === true);
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
    .action(async (file: string, options: Options) => end(await run(file, options)));
};
