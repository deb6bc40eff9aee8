import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { stream } from '../../data/random.ts';
import { holm, holmAdjusted } from '../../data/statistics/holm.ts';
import { compareRecipes } from '../../reports/comparison/compare.ts';
import type { Comparison } from '../../reports/comparison/comparison.ts';
import { renderComparisonHtml } from '../../reports/comparison/html.ts';
import { renderComparisonMarkdown } from '../../reports/comparison/markdown.ts';
import type { Recipe } from '../../reports/comparison/recipe.ts';
import { comparisonJsonSchema, comparisonSchema } from '../../reports/comparison/schema.ts';
import { renderComparisonText } from '../../reports/comparison/terminal.ts';
import { compareRuns } from '../../reports/diff/compare.ts';
import { terminalWidth } from '../../reports/text.ts';
import { recipe, right, runOf } from './recipes.ts';
import { hostile } from './sample.ts';

const families = z.object({
  families: z.array(
    z.object({ ps: z.array(z.number()), rejected: z.array(z.boolean()), adjusted: z.array(z.number()) }),
  ),
});

/** statsmodels adds and multiplies in another order. */
const ROUNDING = 12;

describe("Holm's correction", () => {
  it('says what statsmodels says', () => {
    const text = readFileSync(new URL('../golden/holm.json', import.meta.url), 'utf8');
    for (const { ps, rejected, adjusted } of families.parse(JSON.parse(text)).families) {
      expect(holm(ps, 0.05).map((step) => step.rejected)).toEqual(rejected);
      for (const [i, p] of holmAdjusted(ps).entries()) expect(p).toBeCloseTo(adjusted[i] ?? Number.NaN, ROUNDING);
    }
  });
});

const compared = (recipes: readonly Recipe[], request = {}): Comparison =>
  compareRecipes(recipes, { name: 'tiny', ...request });

const verdicts = ({ comparisons }: Comparison): readonly (readonly string[])[] =>
  comparisons.map((test) => [test.recipe, test.versus, test.verdict]);

describe('recipes of one seed', () => {
  const three = [recipe('base', right(300)), recipe('better', right(340)), recipe('alike', right(301))];

  it('are told from the baseline by the tests of diff, corrected for their number', () => {
    const [before, after] = [runOf('base', 1, right(300)), runOf('better', 1, right(340))];
    const [finding] = compareRuns({ before, after }, { latency: 0.05, quality: 0 }, null).stages[0]?.findings ?? [];
    const two = compared(three.slice(0, 2)).comparisons[0];
    expect(two).toMatchObject({ p: finding?.p, difference: finding?.difference, paired: true, seeds: 1 });
    expect(two?.flips).toEqual({ gained: 40, lost: 0 });
    const [better, alike] = compared(three).comparisons;
    expect([better?.p, better?.adjusted]).toEqual([two?.p, 2 * (two?.p ?? 0)]);
    expect([better?.verdict, alike?.verdict]).toEqual(['better', 'chance']);
  });

  it('are told from any other as well, and each from each', () => {
    expect(verdicts(compared(three, { baseline: 'better' }))).toEqual([
      ['base', 'better', 'worse'],
      ['alike', 'better', 'worse'],
    ]);
    const pairs = compared(three, { pairs: true });
    expect([pairs.baseline, verdicts(pairs).length]).toEqual([null, 3]);
    expect(renderComparisonText(pairs, { columns: 200, color: false })).toMatch(
      /^Best by accuracy of small is better: it wins against base and alike\.\n/,
    );
  });

  it('that come to the same model are not compared, and count for nothing', () => {
    const twin: Recipe = { ...recipe('base', right(300)), id: 'twin' };
    const { comparisons, refusals, recipes } = compared([...three, twin]);
    expect(comparisons.map((test) => test.recipe)).toEqual(['better', 'alike']);
    expect(refusals).toEqual([{ recipe: 'twin', versus: 'base', reason: 'the models are the same, byte for byte' }]);
    expect(recipes[3]?.stages[0]?.sameAs).toBe('base');
  });

  it.each([
    ['one recipe', three.slice(0, 1), {}, 'expected two or more reports to compare; found one, base'],
    [
      'a metric of another task',
      three,
      { by: 'acuracy' },
      '--by acuracy: models of this data are not compared by it; did',
    ],
    [
      'a stage that is nowhere',
      three,
      { stage: 'smal' },
      '--stage smal: no recipe has a stage of that id; did you mean',
    ],
    [
      'a recipe that is not there',
      three,
      { baseline: 'bas' },
      '--baseline bas: there is no such recipe; did you mean "base"?',
    ],
    ['texts that nobody asked', three, { on: 'validation' }, '--on validation: base was not asked validation texts'],
  ])('are refused: %s', (_, recipes, request, message) => {
    expect(() => compared(recipes, request)).toThrow(message);
  });

  it('are compared by latency only where it was measured alike', () => {
    const { comparisons, refusals } = compared(three, { by: 'p50' });
    expect([comparisons.length, refusals[0]?.reason]).toEqual([0, 'small was not measured alike in both']);
  });
});

describe('recipes of several seeds', () => {
  /** Two recipes that differ by chance alone: texts that are hard, and seeds that are lucky. */
  const pair = (random: ReturnType<typeof stream>, luck: number): readonly Recipe[] => {
    const hard = Float64Array.from({ length: 200 }, () => random.uniform());
    const answers = (): Uint8Array => {
      const shift = luck * random.normal();
      return Uint8Array.from(hard, (level) => Number(random.uniform() < Math.min(1, Math.max(0, 1.4 - level + shift))));
    };
    return [recipe('a', answers(), answers(), answers()), recipe('b', answers(), answers(), answers())];
  };

  /** 5 of 100 are allowed; of so many trials more than so many are a sign (binomial, 1 in 1000). */
  const TRIALS = 100;
  const MOST_ALARMS = 13;

  it('raise no more false alarms than allowed, which texts alone would', () => {
    const random = stream(3, 'seeds');
    let [alarms, ofOneSeed] = [0, 0];
    for (let i = 0; i < TRIALS; i++) {
      const both = pair(random, 0.05);
      alarms += Number(compared(both).comparisons[0]?.verdict !== 'chance');
      const single = both.map((one): Recipe => ({ ...one, sides: [one.sides[0]] }));
      ofOneSeed += Number(compared(single).comparisons[0]?.verdict !== 'chance');
    }
    expect(alarms).toBeLessThanOrEqual(MOST_ALARMS);
    // Of one seed each nothing is known of the luck: that is why seeds are run.
    expect(ofOneSeed).toBeGreaterThan(MOST_ALARMS);
  });

  it('find what is there', () => {
    const { comparisons, recipes } = compared([
      recipe('a', right(280), right(284), right(282)),
      recipe('b', right(330), right(333), right(328)),
    ]);
    expect(comparisons[0]).toMatchObject({ verdict: 'better', seeds: 3, paired: true, flips: { lost: 0 } });
    expect(comparisons[0]?.difference.estimate).toBeCloseTo(145 / 1200, 10);
    expect(recipes[1]?.stages[0]?.quality?.values).toEqual([330 / 400, 333 / 400, 328 / 400]);
  });

  it('are paired over the seeds that both have', () => {
    const [some, more] = [recipe('a', right(280)), recipe('b', right(330), right(333))];
    expect(compared([more, some]).comparisons[0]).toMatchObject({ verdict: 'worse', seeds: 1 });
  });
});

describe('a comparison', () => {
  const ids = [hostile.markup, hostile.markdown, hostile.escape];
  const strange = compared(ids.map((id, i) => recipe(id, right(300 + 30 * i))));

  it('is what its schema says', () => {
    expect(comparisonSchema.parse(JSON.parse(JSON.stringify(strange)))).toEqual(strange);
    expect(Object.keys(Object(comparisonJsonSchema().properties))).toEqual(Object.keys(strange));
  });

  it.each([30, 47, 80, 200])('fits a terminal of %i columns, and steers none', (columns) => {
    const lines = renderComparisonText(strange, { columns, color: false }).split('\n');
    expect(lines.filter((line) => terminalWidth(line) > columns)).toEqual([]);
    expect(lines.join('')).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it('lets no markup through', () => {
    expect(renderComparisonHtml(strange)).not.toContain(hostile.markup);
    const markdown = renderComparisonMarkdown(strange);
    expect(markdown).not.toMatch(/<script|(?<!\\)\]\(http|^# heading/m);
  });
});
