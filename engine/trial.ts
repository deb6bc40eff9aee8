import { lengthsOf } from '../data/lengths.ts';
import { middle } from '../ground/middle.ts';
import { Foresight } from './memory/foresight.ts';
import { waitingClock } from './processor.ts';
import { standardized } from './standardized.ts';
import type { TrainRequest } from './train-request.ts';
import { planTraining } from './training-plan.ts';
import { openUpdater } from './updaters/index.ts';

/** What the first updates of a training run showed. */
export interface Trial {
  /** Tokens a second of the update in the middle, those that warm it up left out. */
  readonly tokensPerSecond: number;
  /** Milliseconds of that update in which the process had a processor. */
  readonly milliseconds: number;
  /** The loss of each update, those that warm it up included. */
  readonly losses: readonly number[];
}

/** Updates that make what later ones find: compiled kernels, memory. */
const WARM = 2;
const TIMED = 5;
/** No update begins later than this. */
const MOST_SECONDS = 20;

/**
 * Makes the first updates of a training run and forgets them. Its hook, its validation and its checkpoints are left out. Throws
 * what the run itself would say of too little memory.
 */
export const trial = async (request: TrainRequest): Promise<Trial> => {
  const { standard } = standardized(request);
  const plan = planTraining(lengthsOf(standard.examples.encoded), standard.options, standard.seed);
  const updater = openUpdater(standard, plan);
  const foresight = new Foresight(standard, plan);
  const losses: number[] = [];
  const rates: number[] = [];
  const computed: number[] = [];
  try {
    await updater.enter(0);
    foresight.look(updater.step, 0);
    const began = performance.now();
    // A step takes so long that none is repeated: what is left of the time decides how many there are.
    for (let step = 0; step < Math.min(WARM + TIMED, plan.totalSteps); step++) {
      if (rates.length > 0 && performance.now() - began > 1000 * MOST_SECONDS) break;
      const [started, waited] = [performance.now(), waitingClock()];
      const { outcome, size } = await updater.update(step);
      const elapsed = performance.now() - started;
      losses.push(outcome.loss);
      if (step < Math.min(WARM, plan.totalSteps - 1)) continue;
      rates.push((1000 * size.tokens) / elapsed);
      computed.push(elapsed * (1 - waited()));
    }
  } catch (error) {
    throw foresight.explained(error);
  } finally {
    await updater.release();
  }
  return { tokensPerSecond: middle(rates), milliseconds: middle(computed), losses };
};
