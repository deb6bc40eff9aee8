import type { Comparison } from '../../reports/comparison/comparison.ts';
import type { Emit } from '../events.ts';
import type { RunResult } from '../execute/run.ts';
import type { VariantsResult } from '../execute/variants.ts';
import { isOffline } from './offline.ts';
import { planFrom } from './planned.ts';
import { RunError } from './run-error.ts';
import type { Run, RunOptions } from './types/pipelines.ts';

/** What a run that came to no end throws. */
const stoppedBy = (
  { end, seed, report }: RunResult,
  out: string,
  of: { readonly variant: string | null; readonly comparison?: Comparison },
): RunError => {
  if (end.kind === 'done') throw new Error('a run that is done has a report');
  const { step } = end;
  const where = { step, seed, report, out, ...of };
  return end.kind === 'failed'
    ? new RunError(end.message, { ...where, code: end.code, log: end.log })
    : new RunError(`interrupted in "${step}"`, { ...where, code: 'interrupted', log: null, report: null });
};

const ended = (result: RunResult, out: string): Run => {
  const { end, report } = result;
  if (end.kind === 'done' && report !== null) return { report, out };
  throw stoppedBy(result, out, { variant: null });
};

const endedVariants = ({ variants, stopped, comparison }: VariantsResult, out: string): Run => {
  const compared = comparison === null ? {} : { comparison };
  if (stopped !== null) throw stoppedBy(stopped, stopped.out, { variant: stopped.variant, ...compared });
  const [first] = variants;
  if (first === undefined) throw new Error('variants that are done have reports');
  return { report: first.report, out, variants, ...compared };
};

/** Runs a file. Throws RunError where a stage fails or `signal` stops it. */
export const runFile = async (file: string, options: RunOptions, emit: Emit): Promise<Run> => {
  const planned = await planFrom(file, options);
  const { decantCatalogue: catalogue } = await import('../kinds.ts');
  const never = new AbortController().signal;
  const { memory, signal: abort = never, kill = never } = options;
  const request = { ...planned, catalogue, memory, abort, kill, emit, offline: isOffline(options) };
  if (planned.plans[0].variant !== undefined) {
    const { runVariants } = await import('../execute/variants.ts');
    return endedVariants(await runVariants(request), planned.out);
  }
  const { runPipeline } = await import('../execute/run.ts');
  return ended(await runPipeline(request), planned.out);
};
