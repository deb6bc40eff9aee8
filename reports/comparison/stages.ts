import { overSeeds } from '../../data/statistics/crossed.ts';
import { type Effect, intervalOf } from '../../data/statistics/effects.ts';
import { type Bounds, Z95 } from '../../data/statistics/intervals.ts';
import { bounded, type Figure } from '../../data/statistics/metrics.ts';
import { mean } from '../../data/statistics/scored.ts';
import type { Metric } from '../../ground/metrics/index.ts';
import { stageChanges } from '../diff/changes.ts';
import { figureIn } from '../side.ts';
import type { RecipeReport, RecipeStage } from './comparison.ts';
import { type Recipe, stagesOf, validated } from './recipe.ts';

const ALPHA = 0.05;

const asEffect = ({ value, interval: { low, high } }: Figure): Effect => ({
  ...{ estimate: value, centre: value, error: (high - low) / 2 / Z95, also: null },
  degrees: Number.POSITIVE_INFINITY,
});

/** The texts are the same for every seed: what they leave open does not shrink with more seeds. */
const boundsOf = (metric: Metric, figures: readonly Figure[]): Bounds => {
  const [only, another] = figures;
  if (only === undefined || another === undefined) return only?.interval ?? { low: Number.NaN, high: Number.NaN };
  const effects = figures.map(asEffect);
  const [first] = effects;
  const texts = { ...(first ?? asEffect(only)), error: mean(effects.map(({ error }) => error)) };
  const { low, high } = bounded(metric, intervalOf(overSeeds(effects, texts), ALPHA));
  return { low, high };
};

const qualityOf = (recipe: Recipe, id: string, metric: Metric): RecipeStage['quality'] => {
  const stages = stagesOf(recipe, id);
  const figures = stages.flatMap((stage, i) => {
    const side = recipe.sides[i];
    return side === undefined ? [] : (figureIn(side, stage, metric) ?? []);
  });
  if (figures.length === 0 || figures.length < stages.length) return null;
  const values = figures.map(({ value }) => value);
  return { score: mean(values), interval: boundsOf(metric, figures), values };
};

const latencyOf = (recipe: Recipe, id: string): RecipeStage['latency'] => {
  const cell = stagesOf(recipe, id)[0]?.latency[0];
  if (cell === undefined) return null;
  const { batch, length, p50Ms, p50Interval: interval, busy } = cell;
  return { batch, length, p50Ms, interval: { low: interval.low, high: interval.high }, busy };
};

/** What the models of a stage are, byte for byte; empty where it makes none. */
const digests = (recipe: Recipe, id: string): readonly string[] =>
  stagesOf(recipe, id).map(({ model }) => model?.sha256 ?? '');

/** Whether two recipes come to the same models of a stage, seed by seed. */
export const isSame = (a: Recipe, b: Recipe, id: string): boolean => {
  const [mine, theirs] = [digests(a, id), digests(b, id)];
  const seeds = (recipe: Recipe): string => recipe.sides.map(({ report }) => report.seed).join(' ');
  return mine.length > 0 && mine.every((digest, i) => digest !== '' && digest === theirs[i]) && seeds(a) === seeds(b);
};

const stageOf = (recipe: Recipe, id: string, metric: Metric, earlier: readonly Recipe[]): RecipeStage => {
  const [stage] = stagesOf(recipe, id);
  const same = earlier.find((other) => isSame(recipe, other, id));
  return {
    ...{ id, uses: stage?.uses ?? '' },
    ...(same === undefined ? {} : { sameAs: same.id }),
    quality: qualityOf(recipe, id, metric),
    bytes: stage?.model?.bytes ?? null,
    gzipBytes: stage?.model?.gzipBytes ?? null,
    latency: latencyOf(recipe, id),
  };
};

/** Options of stages that are not those of the first recipe. */
const changesOf = ({ sides: [{ report }] }: Recipe, { sides: [first] }: Recipe): RecipeReport['changes'] =>
  report.stages.flatMap((stage) => {
    const before = first.report.stages.find(({ id }) => id === stage.id);
    const changes = before === undefined ? [] : stageChanges(before, stage, new Map());
    return changes.map((change) => ({ ...change, key: `${stage.id}.${change.key}` }));
  });

/** What a table says of a recipe, without the others. */
export const recipeReport = (
  recipe: Recipe,
  metric: Metric,
  stage: string,
  earlier: readonly Recipe[],
): RecipeReport => {
  const { id, where, sides } = recipe;
  const [{ report }] = sides;
  const validation = validated(recipe, stage, metric);
  const models = report.stages.filter(({ model }) => model !== null);
  return {
    ...{ id, where },
    seeds: sides.map((side) => side.report.seed),
    overrides: report.pipeline.overrides,
    changes: changesOf(recipe, earlier[0] ?? recipe),
    validation: validation.length === 0 ? null : validation,
    stages: models.map(({ id: own }) => stageOf(recipe, own, metric, earlier)),
  };
};
