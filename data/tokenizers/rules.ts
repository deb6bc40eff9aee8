import type { TokenizerJson } from '../tokenizer.ts';
import { type Part, partOf } from './parts.ts';

/** What decides how a text is read, besides the tokens there are. Where it differs, no token of one says what that of the other does. */
export const rulesOf = ({ normalizer, pre_tokenizer, model }: TokenizerJson): Part => ({
  normalizer,
  pre_tokenizer,
  type: partOf(model).type,
});
