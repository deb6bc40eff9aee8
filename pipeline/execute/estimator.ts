import type { Catalogue } from '../catalogue.ts';
import type { Emit } from '../events.ts';
import { stepRoom } from '../guard/limits.ts';
import type { Plan } from '../plan/plan.ts';
import type { Seconds } from './expect.ts';

interface Running {
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  readonly threads: number;
  readonly memory?: number | undefined;
  readonly abort: AbortSignal;
}

/** Trials take some seconds for each size of model: for a run that is shorter than this they would be no help. */
const LEAST_SECONDS = 120;

/** Tells what steps should take that never ran, by trials of untrained models; nothing of a short run, or where a trial fails. */
export const estimator =
  ({ plan, catalogue, threads, memory, abort }: Running, emit: Emit) =>
  async (wanted: ReadonlySet<string>): Promise<Seconds> => {
    const { estimateSteps } = await import('../plan/estimate/estimate.ts');
    let isTold = false;
    const progress = (): void => {
      if (isTold) return;
      isTold = true;
      const message = 'trying untrained models of the sizes to come, to tell how long the run will take';
      emit({ type: 'log', step: plan.dataset, message });
    };
    try {
      const room = stepRoom(memory).bytes;
      const options = { plan, catalogue, threads, wanted, room, least: LEAST_SECONDS, signal: abort, progress };
      const estimates = await estimateSteps(options);
      return new Map(
        [...estimates].flatMap(([step, { seconds }]) => (seconds === null ? [] : [[step, seconds] as const])),
      );
    } catch {
      // A run does not end for want of a forecast: what is wrong with its data or models its steps will say.
      return new Map();
    }
  };
