import { correctness, logProbabilities, mean, type Scored } from './scored.ts';

export const accuracy = (scored: Scored): number => mean(correctness(scored));

/** Mean cross-entropy, -log p(label), in nats. */
export const crossEntropy = ({ logits, classes, labels }: Scored): number =>
  mean(Array.from(labels, (label, example) => -(logProbabilities(logits, classes, example)[label] ?? 0)));
