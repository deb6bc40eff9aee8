import type { z } from 'zod';
import type { Immutable } from '../../ground/immutable.ts';
import type { comparisonSchema } from './schema.ts';

/** comparison.json: several recipes side by side. What each field means stands in its schema. */
export type Comparison = Immutable<z.infer<typeof comparisonSchema>>;

export type RecipeReport = Comparison['recipes'][number];
export type RecipeStage = RecipeReport['stages'][number];
export type RecipeTest = Comparison['comparisons'][number];
