import { mean } from '../../data/statistics/scored.ts';
import { metricCalled } from '../../ground/metrics/index.ts';
import { bytes, plural, range } from '../figures.ts';
import { timeText } from '../speed.ts';
import { disarmed } from '../text.ts';
import type { Comparison, RecipeReport, RecipeStage, RecipeTest } from './comparison.ts';
import { qualityWords, type Words, wordsOf } from './words.ts';

/** One line of the table of recipes. */
export interface RecipeRow {
  readonly recipe: string;
  readonly score: string;
  /** Of the validation texts, where they were asked beside those of the test. */
  readonly validation: string;
  readonly change: string;
  readonly p: string;
  readonly verdict: string;
  readonly bytes: string;
  readonly p50: string;
  /** It is told from the baseline. */
  readonly clear: boolean;
}

/** A stage of a recipe. */
export interface StageRow {
  readonly recipe: string;
  readonly stage: string;
  readonly score: string;
  readonly bytes: string;
  readonly p50: string;
}

/** Two recipes, where each was compared with each. */
export interface PairRow {
  readonly pair: string;
  readonly change: string;
  readonly p: string;
  readonly verdict: string;
  readonly clear: boolean;
}

export interface ListedFacts {
  readonly title: string;
  readonly items: readonly string[];
}

/** What every rendering of a comparison says. */
export interface ComparisonView {
  readonly name: string;
  readonly verdict: string;
  readonly score: string;
  readonly changes: string;
  readonly rows: readonly RecipeRow[];
  readonly pairs: readonly PairRow[];
  readonly stages: readonly StageRow[];
  readonly note: string;
  readonly facts: readonly ListedFacts[];
}

const stageIn = ({ stages }: RecipeReport, id: string): RecipeStage | undefined =>
  stages.find((stage) => stage.id === id);

/** The figure that decides, of a recipe. */
const figureIn = (recipe: RecipeReport, { stage, by }: Comparison): number => {
  const found = stageIn(recipe, stage);
  const figure = metricCalled(by) === undefined ? found?.latency?.p50Ms : found?.quality?.score;
  return figure ?? Number.NaN;
};

/** Recipes with the best figure first. */
const ranked = (comparison: Comparison): readonly RecipeReport[] => {
  const words = wordsOf(comparison);
  return comparison.recipes.toSorted((a, b) => {
    const [x, y] = [figureIn(a, comparison), figureIn(b, comparison)];
    return Number(words.isBetter(y, x)) - Number(words.isBetter(x, y));
  });
};

const changeText = ({ difference }: RecipeTest, { change, unit }: Words): string =>
  `${change(difference.estimate)}${unit} ${range(difference, change)}`;

/** The same difference seen from the other recipe. */
const turned = (test: RecipeTest, comparison: Comparison): RecipeTest => {
  const { estimate, low, high } = test.difference;
  const isRatio = metricCalled(comparison.by) === undefined;
  const turn = (x: number): number => (isRatio ? 1 / x : -x);
  const opposite = { better: 'worse', worse: 'better', chance: 'chance' } as const;
  return {
    ...test,
    ...{ recipe: test.versus, versus: test.recipe, verdict: opposite[test.verdict] },
    difference: { estimate: turn(estimate), low: turn(high), high: turn(low) },
  };
};

const testsOf = (id: string, comparison: Comparison): readonly RecipeTest[] =>
  comparison.comparisons.flatMap((test) => {
    if (test.recipe === id) return [test];
    return test.versus === id ? [turned(test, comparison)] : [];
  });

const verbs = { better: 'wins', worse: 'loses', chance: 'is chance' } as const;

const listed = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

const validationText = (recipe: RecipeReport | undefined, comparison: Comparison): string => {
  const { validation = null } = recipe ?? {};
  const { write } = wordsOf(comparison);
  return validation === null || metricCalled(comparison.by) === undefined ? '' : write(mean(validation));
};

/** What is judged, and by which texts where those are not of the test split. */
const subjectOf = ({ stage, on }: Comparison): string => `${stage}${on === 'validation' ? ' on validation texts' : ''}`;

/** How each recipe stands to the baseline, the best first. */
const againstBaseline = (comparison: Comparison, baseline: string): string => {
  const words = wordsOf(comparison);
  const order = ranked(comparison).map(({ id }) => id);
  const sorted = comparison.comparisons.toSorted((a, b) => order.indexOf(a.recipe) - order.indexOf(b.recipe));
  const parts = (['better', 'worse', 'chance'] as const).flatMap((verdict) => {
    const told = sorted.filter((test) => test.verdict === verdict);
    return told.map((test) => `${test.recipe} ${verbs[verdict]} (${changeText(test, words)})`);
  });
  const lead = `By ${words.words} of ${subjectOf(comparison)}, against ${baseline}`;
  return parts.length === 0 ? `${lead}: nothing could be compared.` : `${lead}: ${parts.join('; ')}.`;
};

/** What the best recipe is told from. */
const eachWithEach = (comparison: Comparison): string => {
  const words = wordsOf(comparison);
  const [best] = ranked(comparison);
  const tests = best === undefined ? [] : testsOf(best.id, comparison);
  if (best === undefined || tests.length === 0) return 'Nothing could be compared.';
  const than = (verdict: RecipeTest['verdict']): string =>
    listed(tests.filter((test) => test.verdict === verdict).map(({ versus }) => versus));
  const parts = [
    ...(than('better') === '' ? [] : [`it wins against ${than('better')}`]),
    ...(than('chance') === '' ? [] : [`against ${than('chance')} the difference is chance`]),
  ];
  return `Best by ${words.words} of ${subjectOf(comparison)} is ${best.id}: ${parts.join('; ')}.`;
};

/** Which one to use: the test split says how good it is, and chooses none. */
const chosenText = (comparison: Comparison): string => {
  const { chosen, recipes } = comparison;
  const score = validationText(
    recipes.find(({ id }) => id === chosen),
    comparison,
  );
  return chosen === null ? '' : ` Chosen on the validation texts: ${chosen} (${score}${wordsOf(comparison).scale}).`;
};

/** Which recipe wins, and which differences are chance. */
const verdictOf = (comparison: Comparison): string => {
  const lacks = comparison.missing.length === 0 ? '' : `Without ${listed(comparison.missing)}, which did not end. `;
  const { baseline } = comparison;
  const told = baseline === null ? eachWithEach(comparison) : againstBaseline(comparison, baseline);
  return `${lacks}${told}${chosenText(comparison)}`;
};

const scoreText = (stage: RecipeStage | undefined, { write }: Pick<Words, 'write'>): string =>
  stage?.quality == null ? '' : `${write(stage.quality.score)} ${range(stage.quality.interval, write)}`;

const sizeText = (stage: RecipeStage | undefined): string => (stage?.bytes == null ? '' : bytes(stage.bytes));

const p50Text = (stage: RecipeStage | undefined): string =>
  stage?.latency == null ? '' : timeText(stage.latency, stage.latency.p50Ms);

const pText = (p: number): string => (p < 0.001 ? '< 0.001' : p.toFixed(3));

const rowOf = (recipe: RecipeReport, comparison: Comparison): RecipeRow => {
  const words = wordsOf(comparison);
  const stage = stageIn(recipe, comparison.stage);
  const isBaseline = recipe.id === comparison.baseline;
  const test = comparison.baseline === null ? undefined : testsOf(recipe.id, comparison)[0];
  const told = isBaseline ? undefined : test;
  return {
    recipe: recipe.id,
    score: scoreText(stage, qualityWords(comparison)),
    validation: comparison.on === 'validation' ? '' : validationText(recipe, comparison),
    change: isBaseline ? 'baseline' : told === undefined ? '' : changeText(told, { ...words, unit: '' }),
    p: told === undefined ? '' : pText(told.adjusted),
    verdict: told?.verdict ?? '',
    ...{ bytes: sizeText(stage), p50: p50Text(stage) },
    clear: told !== undefined && told.verdict !== 'chance',
  };
};

const pairOf = (test: RecipeTest, words: Words): PairRow => ({
  pair: `${test.recipe} against ${test.versus}`,
  change: changeText(test, { ...words, unit: '' }),
  p: pText(test.adjusted),
  verdict: test.verdict,
  clear: test.verdict !== 'chance',
});

/** Stages besides the compared one; what is the same in several recipes is told of the first. */
const stageRows = (comparison: Comparison): readonly StageRow[] => {
  const words = qualityWords(comparison);
  return comparison.recipes.flatMap(({ id, stages }) =>
    stages
      .filter((stage) => stage.sameAs === undefined && stage.id !== comparison.stage)
      .map((stage) => {
        const sharing = comparison.recipes.filter((other) => stageIn(other, stage.id)?.sameAs === id);
        const others = sharing.length === 0 ? '' : ` and ${sharing.length} more`;
        const figures = { score: scoreText(stage, words), bytes: sizeText(stage), p50: p50Text(stage) };
        return { recipe: `${id}${others}`, stage: stage.id, ...figures };
      }),
  );
};

const unpairedNote = ({ comparisons }: Comparison): readonly string[] =>
  comparisons.every(({ paired }) => paired)
    ? []
    : ['some are compared unpaired, with wider intervals: predictions are missing or of other texts'];

/** How the tables are to be read. */
const noteOf = (comparison: Comparison): string => {
  const { comparisons } = comparison;
  if (comparisons.length === 0) return '';
  const seeds = Math.max(...comparisons.map((test) => test.seeds));
  const over =
    seeds > 1
      ? `intervals are over the texts and over ${seeds} seeds`
      : 'of one seed each: what another seed would come to is not in the intervals';
  const parts = [
    `95 % intervals and p corrected for ${plural(comparisons.length, 'comparison')} (Holm)`,
    over,
    ...unpairedNote(comparison),
  ];
  return `${parts.join('; ')}.`;
};

const LONGEST_VALUE = 40;

const valueText = (value: RecipeReport['changes'][number]['before']): string => {
  if (value === null) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text;
};

const factsOf = ({ recipes, refusals, stage }: Comparison): readonly ListedFacts[] => {
  const [first] = recipes;
  const changes = recipes.flatMap(({ id, changes: own }) =>
    own.map(({ key, before, after }) => `${id}: ${key} ${valueText(before)} -> ${valueText(after)}`),
  );
  return [
    {
      title: 'What could not be compared',
      items: refusals.map(({ recipe, versus, reason }) => `${stage} of ${recipe} against ${versus}: ${reason}`),
    },
    { title: `What differs from ${first?.id ?? ''}`, items: changes },
  ].filter(({ items }) => items.length > 0);
};

/** Every text of a row. */
const disarmedTexts = <Row extends object>(row: Row): Row => {
  const texts = Object.entries(row).map(([key, value]) => [key, typeof value === 'string' ? disarmed(value) : value]);
  return { ...row, ...Object.fromEntries(texts) };
};

export const viewOf = (comparison: Comparison): ComparisonView => {
  const words = wordsOf(comparison);
  const facts = factsOf(comparison);
  return {
    name: disarmed(comparison.name),
    verdict: disarmed(verdictOf(comparison)),
    score: `${qualityWords(comparison).title} [95 %]`,
    changes: `${words.changes} [Holm]`,
    rows: comparison.recipes.map((recipe) => disarmedTexts(rowOf(recipe, comparison))),
    pairs: comparison.baseline === null ? comparison.comparisons.map((test) => disarmedTexts(pairOf(test, words))) : [],
    stages: stageRows(comparison).map(disarmedTexts),
    note: disarmed(noteOf(comparison)),
    facts: facts.map(({ title, items }) => ({ title: disarmed(title), items: items.map(disarmed) })),
  };
};
