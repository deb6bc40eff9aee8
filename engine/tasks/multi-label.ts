import { setTargets, targetsOf } from '../../data/answer-targets.ts';
import { probabilityOf, saidOf, thresholdOf } from '../../data/sets.ts';
import { withHead } from '../../models/head.ts';
import { binaryCrossEntropy, classDistillation } from '../losses/index.ts';
import { wholeTexts } from '../read.ts';
import { fitThresholds } from '../thresholds.ts';
import type { Task } from './task.ts';

/** -log of the probability of having a class, or of not having it. */
const surprise = (logit: number, has: number): number => {
  const against = has === 1 ? -logit : logit;
  return Math.max(0, against) + Math.log1p(Math.exp(-Math.abs(against)));
};

const percent = (rate: number): string => `${(rate * 100).toFixed(1)} %`;

/** Any of some classes a text: several, one, or none. */
export const multiLabel: Task = {
  name: 'multi-label',
  encode: wholeTexts,
  targets: (examples, _, classes) => setTargets(examples, classes.length),
  fit: (model, labels) => withHead(model, { task: 'multi-label', at: 'texts', labels }),
  answering: (model) => model,
  targetLosses: (settings) => [binaryCrossEntropy(settings)],
  imitation: (settings) => [classDistillation(settings)],
  judge: (logits, { targets }, answer) => {
    const truth = Array.from(targetsOf(targets, answer));
    const said = Array.from(saidOf(logits));
    const losses = truth.map((has, c) => surprise(logits[c] ?? 0, has));
    return {
      score: Number(said.every((claim, c) => claim === truth[c])),
      loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
      columns: { said, truth },
    };
  },
  thresholds: fitThresholds,
  tell: (logits = new Float32Array(), labels, { thresholds }) => {
    const said = saidOf(logits, thresholds);
    const classes = Array.from(logits, (logit, c) => ({
      ...{ label: labels[c] ?? `class ${c}`, probability: probabilityOf(logit), said: said[c] === 1 },
      ...(thresholds === undefined ? {} : { threshold: thresholdOf(thresholds, c) }),
    })).toSorted((a, b) => Number(b.said) - Number(a.said) || b.probability - a.probability);
    const chosen = classes.filter((one) => one.said);
    const others = classes.filter((one) => !one.said);
    const below = ({ threshold = thresholdOf(undefined, 0) }: (typeof classes)[number]): string =>
      `below ${percent(threshold)}`;
    return {
      json: { labels: chosen.map(({ label }) => label), classes },
      lines: [
        ...(chosen.length === 0 ? [['(none)']] : []),
        ...chosen.map((one) => [one.label, percent(one.probability)]),
        ...others.map((one) => [one.label, percent(one.probability), below(one)]),
      ],
      least: Math.max(1, chosen.length),
    };
  },
};
