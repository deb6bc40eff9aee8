import type { Emit } from '../events.ts';
import type { RunResult } from '../execute/run.ts';
import { isOffline } from './offline.ts';
import { planFrom } from './planned.ts';
import { RunError } from './run-error.ts';
import type { Run, RunOptions } from './types/pipelines.ts';

const ended = ({ end, seed, report }: RunResult, out: string): Run => {
  if (end.kind === 'done') {
    if (report === null) throw new Error('a run that is done has a report');
    return { report, out };
  }
  const { step } = end;
  if (end.kind === 'failed') throw new RunError(end.message, { code: end.code, step, seed, log: end.log, report, out });
  throw new RunError(`interrupted in "${step}"`, { code: 'interrupted', step, seed, log: null, report, out });
};

/** Runs a file. Throws RunError where a stage fails or `signal` stops it. */
export const runFile = async (file: string, options: RunOptions, emit: Emit): Promise<Run> => {
  const planned = await planFrom(file, options);
  const { runPipeline } = await import('../execute/run.ts');
  const { decantCatalogue: catalogue } = await import('../kinds.ts');
  const never = new AbortController().signal;
  const { memory, signal: abort = never, kill = never } = options;
  const result = await runPipeline({
    ...{ ...planned, catalogue, memory, abort, kill, emit },
    offline: isOffline(options),
  });
  return ended(result, planned.out);
};
