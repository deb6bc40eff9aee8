import { overSeeds } from '../../data/statistics/crossed.ts';
import type { Effect } from '../../data/statistics/effects.ts';
import { metricEffect } from '../../data/statistics/metrics.ts';
import { mean } from '../../data/statistics/scored.ts';
import { joinedDoubles } from '../../ground/joined.ts';
import type { Metric } from '../../ground/metrics/index.ts';
import { column, type Judged } from '../../ground/metrics/metric.ts';
import type { DiffSide } from '../diff/compare.ts';
import { latencyBetween } from '../latency-ratio.ts';
import { type Pair, pairOf, type QualityEffect, qualityEffect, sameCell, stageIn } from '../side.ts';
import type { Recipe } from './recipe.ts';

/** Runs of two recipes, a seed each. */
type Runs = readonly (readonly [mine: DiffSide, theirs: DiffSide])[];

/** A difference over all seeds, or why there is none. */
export type Attempt =
  | (QualityEffect & { readonly kind: 'effect'; readonly seeds: number })
  | { readonly kind: 'refused'; readonly reason: string };

const refused = (reason: string): Attempt => ({ kind: 'refused', reason });

/** Runs with the seeds that both have; where they have none in common, one after the other. */
const runsOf = (mine: Recipe, theirs: Recipe): Runs => {
  const common = mine.sides.flatMap((side) => {
    const other = theirs.sides.find(({ report }) => report.seed === side.report.seed);
    return other === undefined ? [] : [[side, other] as const];
  });
  if (common.length > 0) return common;
  return mine.sides.flatMap((side, i) => {
    const other = theirs.sides[i];
    return other === undefined ? [] : [[side, other] as const];
  });
};

/** The answers of all seeds as one: those to one text, whatever the seed, belong together. */
const pooled = (all: readonly Judged[]): Judged => {
  const [first] = all;
  const columns: Record<string, ArrayLike<number>> = {};
  for (const name of Object.keys(first?.columns ?? {})) {
    let made: Float64Array | undefined;
    Object.defineProperty(columns, name, {
      enumerable: true,
      get: () => {
        made ??= joinedDoubles(all.map((judged) => column(judged, name)));
        return made;
      },
    });
  }
  const texts = all.map(({ groups, count }) => groups ?? Int32Array.from({ length: count }, (_, i) => i));
  return {
    count: all.reduce((sum, { count }) => sum + count, 0),
    columns,
    groups: Int32Array.from(joinedDoubles(texts)),
  };
};

/** What of the error is the texts': of answers that are not known it is that of one seed, since all had the same texts. */
const ofTexts = (metric: Metric, effects: readonly Effect[], pairs: readonly (Pair | null)[]): Effect => {
  const known = pairs.filter((pair) => pair !== null);
  const [first] = effects;
  if (first !== undefined && known.length < pairs.length) {
    return { ...first, error: mean(effects.map(({ error }) => error)) };
  }
  const of = (side: keyof Pair): Judged => pooled(known.map((pair) => pair[side].judged));
  return metricEffect(metric, of('model'), of('other'));
};

const sumOf = (effects: readonly QualityEffect[]): QualityEffect['flips'] => {
  const flips = effects.map((effect) => effect.flips).filter((one) => one !== null);
  if (flips.length < effects.length) return null;
  const sum = (key: 'gained' | 'lost'): number => flips.reduce((total, one) => total + one[key], 0);
  return { gained: sum('gained'), lost: sum('lost') };
};

/** A metric of a stage of one recipe minus that of another's, over the texts and seeds that both have in common. */
export const qualityBetween = (mine: Recipe, theirs: Recipe, stage: string, metric: Metric): Attempt => {
  const runs = runsOf(mine, theirs);
  const each = runs.map(([model, other]) => qualityEffect(model, stage, other, stage, metric));
  const found = each.filter((effect) => effect !== null);
  if (found.length === 0 || found.length < each.length) return refused(`${stage} was not evaluated in both`);
  const effects = found.map(({ effect }) => effect);
  const pairs = runs.map(([model, other]) => pairOf(model, stage, other, stage));
  const effect = effects.length === 1 ? effects[0] : overSeeds(effects, ofTexts(metric, effects, pairs));
  if (effect === undefined || ![effect.centre, effect.error].every(Number.isFinite)) {
    return refused(`the ${metric.words} of one of them is no number`);
  }
  const paired = found.every((one) => one.paired);
  return { kind: 'effect', effect, paired, flips: sumOf(found), seeds: found.length };
};

const average = (effects: readonly Effect[]): Effect => {
  const squares = effects.reduce((sum, { error }) => sum + error ** 2, 0);
  const bounds = effects.map(({ also }) => also).filter((also) => also !== null);
  const also = { low: mean(bounds.map(({ low }) => low)), high: mean(bounds.map(({ high }) => high)) };
  return {
    estimate: mean(effects.map(({ estimate }) => estimate)),
    centre: mean(effects.map(({ centre }) => centre)),
    error: Math.sqrt(squares) / effects.length,
    degrees: effects.reduce((sum, { degrees }) => sum + degrees, 0),
    also: bounds.length < effects.length ? null : also,
  };
};

/** The logarithm of a stage's latency over that of another recipe's: a seed changes weights, and no work. */
export const timesBetween = (mine: Recipe, theirs: Recipe, id: string): Attempt => {
  const effects: Effect[] = [];
  for (const [model, other] of runsOf(mine, theirs)) {
    const [now, was] = [stageIn(model, id), stageIn(other, id)];
    const cell = now?.latency[0];
    const before = cell === undefined ? undefined : sameCell(was, cell);
    if (cell === undefined || before === undefined) return refused(`${id} was not measured alike in both`);
    const compared = latencyBetween(other, before, model, cell, id);
    if (compared.kind === 'refused') return refused(compared.reason);
    effects.push(compared.effect);
  }
  return { kind: 'effect', effect: average(effects), paired: true, flips: null, seeds: effects.length };
};
