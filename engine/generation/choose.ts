import { type Stream, stream } from '../../data/random.ts';
import { largestOf, logSumExp } from '../../data/rows.ts';
import { type Strategies, strategies } from './strategies/index.ts';

/** The next token of a text, by the scores of all and what was written. */
export type Choose = (scores: Float32Array, written: ArrayLike<number>) => number;

/** A token as probable as it is, the random number being what decides. */
const drawn = (scores: Float32Array, random: Stream): number => {
  const total = logSumExp(scores);
  let left = random.uniform();
  for (let id = 0; id < scores.length; id++) {
    left -= Math.exp((scores[id] as number) - total);
    if (left < 0) return id;
  }
  // All probabilities together are a rounding below 1.
  return largestOf(scores);
};

/** Takes the most probable token, or draws one where a strategy asks for that: the same again with the same seed. */
export const chooser = (given: Strategies, seed: number): Choose => {
  const asked = strategies.filter(({ option }) => given[option] !== undefined);
  const draws = asked.some((strategy) => strategy.draws);
  let turn = 0;
  return (scores, written) => {
    const changed = scores.slice();
    for (const { option, apply } of asked) apply(changed, given[option] ?? 0, written);
    return draws ? drawn(changed, stream(seed, 'generate', turn++)) : largestOf(changed);
  };
};
