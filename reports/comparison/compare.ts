import { type Effect, intervalOf, pOutside } from '../../data/statistics/effects.ts';
import { type HolmStep, holm, holmAdjusted } from '../../data/statistics/holm.ts';
import type { Interval } from '../../data/statistics/intervals.ts';
import { bounded } from '../../data/statistics/metrics.ts';
import { mean } from '../../data/statistics/scored.ts';
import { userErrors } from '../../ground/errors.ts';
import type { Metric } from '../../ground/metrics/index.ts';
import { canBeLimited, isBetter } from '../../ground/metrics/metric.ts';
import { nearName } from '../../ground/near.ts';
import { dataTask, metricsOf } from '../../ground/tasks.ts';
import { headline } from '../verdict.ts';
import type { Comparison, RecipeTest } from './comparison.ts';
import { type Attempt, qualityBetween, timesBetween } from './effects.ts';
import { byValidation, type Recipe, stagesOf } from './recipe.ts';
import { isSame, recipeReport } from './stages.ts';

/** The whole comparison is wrong about something with this probability at most. */
const ALPHA = 0.05;

/** What recipes are not compared by, or with. */
const comparisonError = userErrors('comparison');

export interface CompareRequest {
  readonly name: string;
  /** A metric of the task, or p50; the primary metric where nobody says. */
  readonly by?: string | undefined;
  /** The texts that decide; test where nobody says. */
  readonly on?: Comparison['on'] | undefined;
  /** The stage that ships where nobody says. */
  readonly stage?: string | undefined;
  /** The first recipe where nobody says. */
  readonly baseline?: string | undefined;
  /** Each with each, instead of with a baseline. */
  readonly pairs?: boolean | undefined;
  /** Variants that have no report. */
  readonly missing?: readonly string[] | undefined;
}

/** The figure that decides. */
interface Figure {
  readonly name: string;
  /** Undefined for latency. */
  readonly metric: Metric | undefined;
}

const P50 = 'p50';

const unknown = (what: string, found: string, known: readonly string[], option: string): Error => {
  const near = nearName(found, known);
  const hint = near === undefined ? `expected one of ${known.join(', ')}` : `did you mean "${near}"?`;
  return comparisonError(`${option} ${found}: ${what}; ${hint}`);
};

type All = readonly [Recipe, Recipe, ...Recipe[]];

/** Recipes for different tasks have no figure in common. */
const taskOf = ([first, ...others]: All) => {
  const { task } = first.sides[0].report.data;
  const other = others.find(({ sides }) => sides[0].report.data.task !== task);
  if (other === undefined) return task;
  const theirs = other.sides[0].report.data.task;
  throw comparisonError(`the data of ${first.id} is for ${task}, that of ${other.id} for ${theirs}: nothing compares`);
};

const figureOf = (recipes: All, by: string | undefined): Figure => {
  const known = metricsOf(dataTask(taskOf(recipes))).filter(canBeLimited);
  const [primary] = known;
  const metric = by === undefined ? primary : known.find(({ name }) => name === by);
  if (metric !== undefined) return { name: metric.name, metric };
  if (by === P50) return { name: P50, metric: undefined };
  const names = [...known.map(({ name }) => name), P50];
  throw unknown('models of this data are not compared by it', by ?? '', names, '--by');
};

/** The stage that was asked for, else the one that ships in the first of these recipes. */
const stageOf = (recipes: All, asked: string | undefined): string => {
  const known = recipes[0].sides[0].report.stages.filter(({ model }) => model !== null).map(({ id }) => id);
  const id = asked ?? headline(recipes[0].sides[0].report)?.id;
  if (id === undefined) throw comparisonError(`no model of ${recipes[0].id} was evaluated`);
  const owners = recipes.filter((recipe) => stagesOf(recipe, id).length > 0);
  if (owners.length === 0) throw unknown('no recipe has a stage of that id', id, known, '--stage');
  return id;
};

const baselineOf = (recipes: All, asked: string | undefined): Recipe => {
  if (asked === undefined) return recipes[0];
  const found = recipes.find(({ id, where }) => id === asked || where === asked);
  if (found !== undefined) return found;
  const ids = recipes.map(({ id }) => id);
  throw unknown('there is no such recipe', asked, ids, '--baseline');
};

interface Candidate {
  readonly recipe: Recipe;
  readonly versus: Recipe;
  readonly attempt: Attempt;
}

const candidateOf = (recipe: Recipe, versus: Recipe, stage: string, { metric }: Figure): Candidate => {
  const attempt = (): Attempt => {
    if ([recipe, versus].some((one) => stagesOf(one, stage).length === 0)) {
      return { kind: 'refused', reason: `not every run has a stage "${stage}"` };
    }
    if (isSame(recipe, versus, stage)) return { kind: 'refused', reason: 'the models are the same, byte for byte' };
    return metric === undefined ? timesBetween(recipe, versus, stage) : qualityBetween(recipe, versus, stage, metric);
  };
  return { recipe, versus, attempt: attempt() };
};

const pairsOf = (recipes: All, baseline: Recipe | null): readonly (readonly [Recipe, Recipe])[] =>
  baseline === null
    ? recipes.flatMap((versus, i) => recipes.slice(i + 1).map((recipe) => [recipe, versus] as const))
    : recipes.filter((recipe) => recipe !== baseline).map((recipe) => [recipe, baseline] as const);

const ratio = ({ estimate, low, high }: Interval): Interval => ({
  ...{ estimate: Math.exp(estimate), low: Math.exp(low), high: Math.exp(high) },
});

const verdictOf = ({ centre }: Effect, { rejected }: HolmStep, { metric }: Figure): RecipeTest['verdict'] => {
  if (!rejected) return 'chance';
  const better = metric === undefined ? centre < 0 : isBetter(metric, centre, 0);
  return better ? 'better' : 'worse';
};

/** Differences that could be told, corrected for their number. */
const tested = (candidates: readonly Candidate[], figure: Figure): readonly RecipeTest[] => {
  const found = candidates.flatMap(({ attempt, ...pair }) => (attempt.kind === 'effect' ? [{ ...pair, attempt }] : []));
  const ps = found.map(({ attempt }) => pOutside(attempt.effect, 0));
  const [steps, adjusted] = [holm(ps, ALPHA), holmAdjusted(ps)];
  return found.map(({ recipe, versus, attempt: { effect, paired, flips, seeds } }, i) => {
    const step = steps[i] ?? { alpha: ALPHA, rejected: false };
    const interval = intervalOf(effect, step.alpha);
    return {
      ...{ recipe: recipe.id, versus: versus.id, p: ps[i] ?? 1, adjusted: adjusted[i] ?? 1, paired, seeds },
      difference: figure.metric === undefined ? ratio(interval) : bounded(figure.metric, interval),
      verdict: verdictOf(effect, step, figure),
      flips: flips === null ? null : { gained: flips.gained, lost: flips.lost },
    };
  });
};

const refusalsOf = (candidates: readonly Candidate[]): Comparison['refusals'] =>
  candidates.flatMap(({ recipe, versus, attempt }) =>
    attempt.kind === 'refused' ? [{ recipe: recipe.id, versus: versus.id, reason: attempt.reason }] : [],
  );

/** The best on validation texts; null where not every recipe was asked, or where latency decides. */
const chosenOf = (recipes: Comparison['recipes'], { metric }: Figure): string | null => {
  const known = recipes.flatMap(({ id, validation }) => (validation === null ? [] : [{ id, score: mean(validation) }]));
  if (metric === undefined || known.length < recipes.length) return null;
  const [first, ...others] = known;
  const best = others.reduce((best, one) => (best && isBetter(metric, one.score, best.score) ? one : best), first);
  return best?.id ?? null;
};

/** Recipes as they are judged by the texts that decide. */
const judgedOn = (recipes: All, on: Comparison['on']): All => {
  if (on === 'test') return recipes;
  const without = recipes.find(({ sides }) => sides.some(({ validation }) => validation === undefined));
  if (without !== undefined) {
    throw comparisonError(
      `--on validation: ${without.id} was not asked validation texts; runs of files with variants are`,
    );
  }
  const [first, second, ...others] = recipes;
  return [byValidation(first), byValidation(second), ...others.map(byValidation)];
};

/**
 * Recipes side by side. Their models of one stage are compared by one figure, each with the baseline or each with each, over the
 * same texts and seeds; what is told is corrected by Holm for the number of these comparisons.
 */
export const compareRecipes = (given: readonly Recipe[], request: CompareRequest): Comparison => {
  const [first, second, ...others] = given;
  if (first === undefined || second === undefined) {
    const found = first === undefined ? 'none' : `one, ${first.id}`;
    throw comparisonError(`expected two or more reports to compare; found ${found}`);
  }
  const { on = 'test' } = request;
  const recipes = judgedOn([first, second, ...others], on);
  const task = taskOf(recipes);
  const figure = figureOf(recipes, request.by);
  const stage = stageOf(recipes, request.stage);
  const baseline = request.pairs === true ? null : baselineOf(recipes, request.baseline);
  const candidates = pairsOf(recipes, baseline).map(([recipe, versus]) => candidateOf(recipe, versus, stage, figure));
  const told = figure.metric ?? dataTask(task).metric;
  const reports = recipes.map((recipe, i) => recipeReport(recipe, told, stage, recipes.slice(0, i)));
  return {
    ...{ schema: 'decant.comparison/1', name: request.name, task, by: figure.name, on, stage },
    baseline: baseline?.id ?? null,
    recipes: reports,
    comparisons: tested(candidates, figure),
    chosen: chosenOf(reports, figure),
    refusals: refusalsOf(candidates),
    missing: request.missing ?? [],
  };
};
