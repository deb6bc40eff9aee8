import type { Judged, JudgedClasses, JudgedVectors } from './judged.ts';
import type { Comparison, Flip } from './report.ts';
import { classDifferences } from './statistics/classes.ts';
import { twoSidedP } from './statistics/distributions.ts';
import { type FlippedExample, flips } from './statistics/flips.ts';
import { mcnemar } from './statistics/mcnemar.ts';
import {
  agreement,
  differenceEffect,
  divergence,
  expectPaired,
  pairedCounts,
  rateInterval,
} from './statistics/pairs.ts';
import { correctness, type Scored } from './statistics/scored.ts';
import { meanEffect } from './statistics/vectors.ts';

interface About {
  readonly role: Comparison['role'];
  readonly versus: string;
  readonly classes: readonly string[];
}

const FLIPS_SHOWN = 20;

/** Whether two models are equally accurate: McNemar's test where examples are independent, else the difference's own. */
const testOf = (model: Scored, other: Scored): Comparison['mcnemar'] => {
  const { gained, lost } = pairedCounts(correctness(model), correctness(other));
  if (model.groups === undefined) return mcnemar(gained, lost);
  const { centre, error, degrees } = differenceEffect(model, other);
  return { gained, lost, p: error > 0 ? twoSidedP(centre / error, degrees) : 1, method: 'clustered' };
};

const compareClasses = (model: JudgedClasses, other: JudgedClasses, about: About): Comparison => {
  expectPaired(model.scored, other.scored);
  const labelOf = (c: number): string => about.classes[c] ?? `${c}`;
  const flip = ({ example, was, now, margin }: FlippedExample): Flip => {
    const id = model.ids[example] ?? -1;
    const label = labelOf(model.scored.labels[example] ?? -1);
    return { id, text: model.textOf(id), label, was: labelOf(was), now: labelOf(now), margin };
  };
  const { lost, gained } = flips(model.scored, other.scored, FLIPS_SHOWN);
  return {
    versus: about.versus,
    role: about.role,
    accuracy: rateInterval(differenceEffect(model.scored, other.scored)),
    mcnemar: testOf(model.scored, other.scored),
    agreement: agreement(other.scored, model.scored),
    kl: divergence(other.scored, model.scored),
    classes: [...classDifferences(model.scored, other.scored)].map(([c, difference]) => ({
      label: labelOf(c),
      difference,
    })),
    flips: { lost: lost.map(flip), gained: gained.map(flip) },
  };
};

const compareVectors = (model: JudgedVectors, other: JudgedVectors, { versus, role }: About): Comparison => ({
  ...{ versus, role, mcnemar: null, agreement: null, kl: null, classes: [], flips: { lost: [], gained: [] } },
  accuracy: rateInterval(meanEffect(model.cosines, other.cosines)),
});

/** Everything that two models' answers about the same examples say about their difference; null where they do not compare. */
export const compare = (model: Judged, other: Judged, about: About): Comparison | null => {
  if (model.kind === 'classes') return other.kind === 'classes' ? compareClasses(model, other, about) : null;
  return other.kind === 'vectors' ? compareVectors(model, other, about) : null;
};
