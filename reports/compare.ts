import type { Comparison, Flip } from './report.ts';
import { classDifferences } from './statistics/classes.ts';
import { type FlippedExample, flips } from './statistics/flips.ts';
import { mcnemar } from './statistics/mcnemar.ts';
import { agreement, divergence, expectPaired, pairedCounts, pairedInterval } from './statistics/pairs.ts';
import { correctness, type Scored } from './statistics/scored.ts';

/** A model's scores and what the examples were. */
export interface Judged {
  readonly scored: Scored;
  readonly ids: Int32Array;
  /** By example id. */
  readonly texts: ReadonlyMap<number, string>;
}

const FLIPS_SHOWN = 20;

/** Everything that two models' scores of the same examples say about their difference. */
export const compare = (
  model: Judged,
  other: Judged,
  about: { readonly role: Comparison['role']; readonly versus: string; readonly classes: readonly string[] },
): Comparison => {
  expectPaired(model.scored, other.scored);
  const counts = pairedCounts(correctness(model.scored), correctness(other.scored));
  const labelOf = (c: number): string => about.classes[c] ?? `${c}`;
  const flip = ({ example, was, now, margin }: FlippedExample): Flip => {
    const id = model.ids[example] ?? -1;
    const label = labelOf(model.scored.labels[example] ?? -1);
    return { id, text: model.texts.get(id) ?? '', label, was: labelOf(was), now: labelOf(now), margin };
  };
  const { lost, gained } = flips(model.scored, other.scored, FLIPS_SHOWN);
  return {
    versus: about.versus,
    role: about.role,
    accuracy: pairedInterval(counts),
    mcnemar: mcnemar(counts.gained, counts.lost),
    agreement: agreement(other.scored, model.scored),
    kl: divergence(other.scored, model.scored),
    classes: [...classDifferences(model.scored, other.scored)].map(([c, difference]) => ({
      label: labelOf(c),
      difference,
    })),
    flips: { lost: lost.map(flip), gained: gained.map(flip) },
  };
};
