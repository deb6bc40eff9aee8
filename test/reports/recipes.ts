import { compareRecipes } from '../../reports/comparison/compare.ts';
import type { Comparison } from '../../reports/comparison/comparison.ts';
import type { Recipe } from '../../reports/comparison/recipe.ts';
import type { DiffSide } from '../../reports/diff/compare.ts';
import { bare, bareStage, fullReport, hostile } from './sample.ts';
import { evaluated } from './simulate.ts';

const model = fullReport().stages[0]?.model ?? null;

/** A run of one stage whose answers to so many texts are right where they are told to be. */
export const runOf = (name: string, seed: number, right: Uint8Array): DiffSide => {
  const stages = [bareStage('small', { model: model && { ...model, sha256: `${name} ${seed}` } })];
  const side = {
    ...{ report: { ...bare, seed, stages }, scores: new Map(), examples: null },
    name: { where: name, name, created: '' },
  };
  return evaluated(
    side,
    Int32Array.from(right, (_, i) => i % 4),
    right,
  );
};

export const recipe = (id: string, ...answers: readonly [Uint8Array, ...Uint8Array[]]): Recipe => {
  const [first, ...others] = answers;
  return { id, where: id, sides: [runOf(id, 1, first), ...others.map((right, i) => runOf(id, i + 2, right))] };
};

/** Answers of which a share is right: the first so many. */
export const right = (count: number, texts = 400): Uint8Array =>
  Uint8Array.from({ length: texts }, (_, i) => Number(i < count));

/** Names that would do harm where they are not escaped, each with each. */
export const recipesSideBySide = (): Comparison => {
  const ids = [hostile.markup, hostile.markdown, hostile.escape, 'a'.repeat(60)];
  return compareRecipes(
    ids.map((id, i) => recipe(id, right(300 + 30 * i))),
    { name: hostile.markup, pairs: true },
  );
};
