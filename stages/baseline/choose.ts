import { setImmediate } from 'node:timers/promises';
import type { Targets } from '../../data/answer-targets.ts';
import type { Dataset } from '../../data/dataset.ts';
import { writePredictions } from '../../data/predictions.ts';
import type { Rows } from '../../data/rows.ts';
import type { StageContext } from '../stage.ts';
import type { Effort } from './budget.ts';
import type { LogisticOptions, Scorer } from './logistic.ts';

interface Chosen {
  readonly score: Scorer;
  readonly inversePenalty: number;
  /** How good it is on validation texts. */
  readonly validation: number;
}

export interface Attempts {
  /** Texts that are learned from: what a penalty is divided by. */
  readonly texts: number;
  /** Trains a model; `between` is called after every epoch. */
  train(options: LogisticOptions, between: () => Promise<void>): Promise<Scorer>;
  /** How good a model is on validation texts, higher is better. */
  judge(score: Scorer): number;
}

/** Trains one model a penalty and keeps the one that is best on validation texts; of equal ones the simplest. */
export const chooseModel = async (
  { epochs, inversePenalties }: Pick<Effort, 'epochs' | 'inversePenalties'>,
  { texts, train, judge }: Attempts,
  ctx: StageContext,
): Promise<Chosen> => {
  let done = 0;
  const between = async (): Promise<void> => {
    ctx.progress({ done: ++done, total: epochs * inversePenalties.length, unit: 'epochs' });
    await setImmediate();
    ctx.signal.throwIfAborted();
  };
  let best: Chosen | undefined;
  for (const inversePenalty of inversePenalties) {
    const score = await train({ penalty: 1 / (inversePenalty * texts), epochs }, between);
    const validation = judge(score);
    if (best === undefined || validation > best.validation) best = { score, inversePenalty, validation };
  }
  if (best === undefined) throw new Error('no penalty was tried');
  return best;
};

/** What a baseline says of the test texts, beside what is true. */
export const writeTest = async (ctx: StageContext, { test }: Dataset, rows: Rows, targets: Targets): Promise<void> =>
  writePredictions(await ctx.output('predictions', 'predictions'), {
    ...{ split: 'test', ids: Int32Array.from(test, ({ id }) => id), rows, targets },
  });
