import { setTargets, targetsOf } from '../../data/answer-targets.ts';
import { probabilityOf, saidOf, thresholdOf } from '../../data/sets.ts';
import { withHead } from '../../models/head.ts';
import { binaryCrossEntropy } from '../losses/index.ts';
import { wholeTexts } from '../read.ts';
import { fitThresholds } from '../thresholds.ts';
import type { Task } from './task.ts';

/** -log of the probability of having a class, or of not having it. */
const surprise = (logit: number, has: number): number => {
  const against = has === 1 ? -logit : logit;
  return Math.max(0, against) + Math.log1p(Math.exp(-Math.abs(against)));
};

/** Any of some classes a text: several, one, or none. */
export const multiLabel: Task = {
  name: 'multi-label',
  encode: wholeTexts,
  targets: (examples, _, classes) => setTargets(examples, classes.length),
  fit: (model, labels) => withHead(model, { task: 'multi-label', at: 'texts', labels }),
  answering: (model) => model,
  targetLosses: (settings) => [binaryCrossEntropy(settings)],
  imitation: 'kl',
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
      threshold: thresholdOf(thresholds, c),
    })).toSorted((a, b) => Number(b.said) - Number(a.said) || b.probability - a.probability);
    return { labels: classes.filter((one) => one.said).map(({ label }) => label), classes };
  },
};
