import type { Dataset } from '../../data/dataset.ts';
import type { Catalogue } from '../catalogue.ts';
import type { Emit } from '../events.ts';
import { stepRoom } from '../guard/limits.ts';
import type { Plan } from '../plan/plan.ts';
import type { StepRecord } from '../store/record.ts';
import type { Store } from '../store/store.ts';
import type { Seconds } from './expect.ts';

interface Running {
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  readonly threads: number;
  readonly memory?: number | undefined;
  readonly abort: AbortSignal;
  readonly store: Store;
}

/** The data as its step left it. */
const readFrom = async (store: Store, { outputs }: StepRecord): Promise<Dataset> => {
  const { readDatasetArtifact } = await import('../../data/files.ts');
  const artifact = Object.values(outputs).find(({ kind }) => kind === 'dataset');
  if (artifact === undefined) throw new Error('the step of the data left none');
  return await readDatasetArtifact(store.input(artifact).path);
};

/** Trials take some seconds for each size of model: for a run that is shorter than this they would be no help. */
const LEAST_SECONDS = 120;

/** Tells what steps should take that never ran, by trials of untrained models; nothing of a short run, or where a trial fails. */
export const estimator =
  ({ plan, catalogue, threads, memory, abort, store }: Running, emit: Emit) =>
  async (wanted: ReadonlySet<string>, data: StepRecord): Promise<Seconds> => {
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
      const estimates = await estimateSteps({
        ...{ plan, catalogue, threads, wanted, room, least: LEAST_SECONDS, signal: abort, progress },
        read: () => readFrom(store, data),
      });
      return new Map(
        [...estimates].flatMap(([step, { seconds }]) => (seconds === null ? [] : [[step, seconds] as const])),
      );
    } catch {
      // A run does not end for want of a forecast: what is wrong with its data or models its steps will say.
      return new Map();
    }
  };
