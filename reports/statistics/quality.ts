import { correctness, logProbabilities, mean, type Scored } from './scored.ts';

export const accuracy = (scored: Scored): number => mean(correctness(scored));

/** Mean cross-entropy, -log p(label), in nats. */
export const crossEntropy = (scored: Scored): number =>
  mean(Array.from(scored.labels, (label, example) => -(logProbabilities(scored, example)[label] ?? 0)));
