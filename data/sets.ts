/** A class that a text has or has not is said where its probability is above this, or above a threshold of its own. */
const HALF = 0.5;

/** sigmoid(z): the probability of a class. */
export const probabilityOf = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** Logit of a probability: what a class's own is compared with. */
export const logitOf = (probability: number): number => Math.log(probability / (1 - probability));

/** Probability above which each class is said; one half where no others were chosen. */
export const thresholdOf = (thresholds: readonly number[] | undefined, c: number): number => thresholds?.[c] ?? HALF;

/** 1 for each class that is said. */
export const saidOf = (logits: Float32Array, thresholds?: readonly number[]): Float64Array =>
  Float64Array.from(logits, (logit, c) => Number(logit > logitOf(thresholdOf(thresholds, c))));
