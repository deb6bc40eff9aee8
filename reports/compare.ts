import { classDifferences } from '../data/statistics/classes.ts';
import { twoSidedP } from '../data/statistics/distributions.ts';
import { type FlippedExample, flips } from '../data/statistics/flips.ts';
import { mcnemar } from '../data/statistics/mcnemar.ts';
import { effectInterval } from '../data/statistics/metrics.ts';
import { agreement, differenceEffect, divergence, expectPaired, pairedCounts } from '../data/statistics/pairs.ts';
import { correctness, type Scored } from '../data/statistics/scored.ts';
import {
  type FlippedSet,
  flippedSets,
  membersOf,
  type Sets,
  setAgreement,
  setClassDifferences,
  setDivergence,
  wholeRight,
} from '../data/statistics/sets.ts';
import { type Judged, judgedEffect } from './judged.ts';
import type { Comparison, Flip, StageReport } from './report.ts';

interface About {
  readonly role: Comparison['role'];
  readonly versus: string;
  readonly classes: readonly string[];
}

const FLIPS_SHOWN = 20;

/** Whether two models are as often right: McNemar's test where examples are independent, else the difference's own. */
const testOf = (model: Scored, other: Scored): Comparison['mcnemar'] => {
  const { gained, lost } = pairedCounts(correctness(model), correctness(other));
  if (model.groups === undefined) return mcnemar(gained, lost);
  const { centre, error, degrees } = differenceEffect(model, other);
  return { gained, lost, p: error > 0 ? twoSidedP(centre / error, degrees) : 1, method: 'clustered' };
};

type OfChoices = Pick<Comparison, 'mcnemar' | 'agreement' | 'kl' | 'classes' | 'flips'>;

const nothing: OfChoices = { mcnemar: null, agreement: null, kl: null, classes: [], flips: { lost: [], gained: [] } };

type Choices = Judged & { readonly scored: Scored };

/** What choices of classes say besides their score. */
const choicesBeside = (model: Choices, other: Choices, classes: readonly string[]): OfChoices => {
  expectPaired(model.scored, other.scored);
  const labelOf = (c: number): string => classes[c] ?? `${c}`;
  const flip = ({ example, was, now, margin }: FlippedExample): Flip => {
    const id = model.ids[example] ?? -1;
    const label = labelOf(model.scored.labels[example] ?? -1);
    return { id, text: model.textOf(id), label, was: labelOf(was), now: labelOf(now), margin };
  };
  const { lost, gained } = flips(model.scored, other.scored, FLIPS_SHOWN);
  const differences = classes.length === 0 ? [] : [...classDifferences(model.scored, other.scored)];
  return {
    mcnemar: testOf(model.scored, other.scored),
    agreement: agreement(other.scored, model.scored),
    kl: divergence(other.scored, model.scored),
    classes: differences.map(([c, difference]) => ({ label: labelOf(c), difference })),
    flips: { lost: lost.map(flip), gained: gained.map(flip) },
  };
};

type OfSets = Judged & { readonly sets: Sets };

/** What sets of classes say besides their score: right is a set with all of a text's classes and no other. */
const setsBeside = (model: OfSets, other: OfSets, classes: readonly string[]): OfChoices => {
  const [mine, theirs] = [model.sets, other.sets];
  const labelOf = (c: number): string => classes[c] ?? `${c}`;
  const named = (sets: Sets, column: Sets['said'], text: number): string =>
    membersOf(sets, column, text).map(labelOf).join(', ') || 'none';
  const flip = ({ text, margin }: FlippedSet): Flip => {
    const id = model.ids[text] ?? -1;
    const [label, was, now] = [
      named(mine, mine.truth, text),
      named(theirs, theirs.said, text),
      named(mine, mine.said, text),
    ];
    return { id, text: model.textOf(id), label, was, now, margin };
  };
  const changed = flippedSets(mine, theirs);
  const { gained, lost } = pairedCounts(wholeRight(mine), wholeRight(theirs));
  const some = (isGained: boolean) =>
    changed
      .filter((one) => one.gained === isGained)
      .slice(0, FLIPS_SHOWN)
      .map(flip);
  return {
    mcnemar: mcnemar(gained, lost),
    ...{ agreement: setAgreement(theirs, mine), kl: setDivergence(theirs, mine) },
    classes: [...setClassDifferences(mine, theirs)].map(([c, difference]) => ({ label: labelOf(c), difference })),
    flips: { lost: some(false), gained: some(true) },
  };
};

const areSets = (judged: Judged): judged is OfSets => judged.sets !== null;

const beside = (model: Judged, other: Judged, classes: readonly string[]): OfChoices => {
  if (isChoices(model) && isChoices(other)) return choicesBeside(model, other, classes);
  return areSets(model) && areSets(other) ? setsBeside(model, other, classes) : nothing;
};

const isChoices = (judged: Judged): judged is Choices => judged.scored !== null;

/** The score of one minus that of another, paired; null where they were asked different questions. */
export const differenceFrom = (model: Judged, other: Judged): StageReport['difference'] => {
  const effect = judgedEffect(model, other);
  if (effect === null) return null;
  const { estimate, low, high } = effectInterval(model.task.metric, effect);
  return { score: estimate, low, high };
};

/** Everything that two models' answers about the same examples say about their difference; null where they do not compare. */
export const compare = (model: Judged, other: Judged, { versus, role, classes }: About): Comparison | null => {
  const effect = judgedEffect(model, other);
  if (effect === null) return null;
  return { versus, role, score: effectInterval(model.task.metric, effect), ...beside(model, other, classes) };
};
