import { correctness, logProbabilities, predictions, type Scored } from './scored.ts';

/** An example that one model gets right and the other wrong. */
export interface FlippedExample {
  /** Row in the scores. */
  readonly example: number;
  /** Classes predicted before and now. */
  readonly was: number;
  readonly now: number;
  /** How much more the right model believes in the true class than the wrong one does, in nats. */
  readonly margin: number;
}

export interface Flips {
  /** Right before, wrong now; the clearest first. */
  readonly lost: readonly FlippedExample[];
  readonly gained: readonly FlippedExample[];
}

/** What changed between two models on the same examples: at most `most` of each kind, by margin. */
export const flips = (model: Scored, before: Scored, most: number): Flips => {
  const [now, was] = [predictions(model), predictions(before)];
  const [right, wasRight] = [correctness(model), correctness(before)];
  const belief = (scored: Scored, example: number): number =>
    logProbabilities(scored, example)[scored.labels[example] ?? 0] ?? 0;
  const changed = Array.from(now.keys())
    .filter((example) => right[example] !== wasRight[example])
    .map((example) => ({
      example,
      was: was[example] ?? 0,
      now: now[example] ?? 0,
      margin: Math.abs(belief(model, example) - belief(before, example)),
    }))
    .sort((a, b) => b.margin - a.margin || a.example - b.example);
  return {
    lost: changed.filter(({ example }) => wasRight[example] === 1).slice(0, most),
    gained: changed.filter(({ example }) => wasRight[example] === 0).slice(0, most),
  };
};
