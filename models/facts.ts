import type { TaskName } from '../ground/tasks.ts';
import type { Role } from './anatomy/roles.ts';

/**
 * Sizes of a model: of heads and neurons the number in each layer, of widths the largest, and the edge of its patches in pixels
 * where it reads images.
 */
type Sizes = Readonly<
  Partial<Record<'hidden' | 'embedding' | 'layers' | 'heads' | 'kvHeads' | 'ffn' | 'vocabulary' | 'patch', number>>
>;

/** What is said of a model beside its weights; what is left out is not known. */
export interface ModelFacts {
  readonly task?: TaskName;
  /** Class names by index; none where it does not classify. */
  readonly labels?: readonly string[];
  readonly modelType?: string;
  /** No sequence of more tokens is read. */
  readonly maxLength?: number;
  readonly sizes?: Sizes;
  /** Whether the table of the tokens scores them, too, where it scores tokens. */
  readonly tied?: boolean;
  /** Whether training finds anything to drop in its layers. */
  readonly drops?: boolean;
  /** The rules by which it reads texts (data/tokenizers/rules.ts), read when they are asked for; undefined where that fails. */
  readonly reads?: () => unknown;
  /** What the parameters of its head do; none without a head. */
  readonly head?: readonly Role[];
}

/** The model_type whose class in transformers.js passes input_ids and attention_mask and nothing else. */
export const textModelType = 'distilbert';
