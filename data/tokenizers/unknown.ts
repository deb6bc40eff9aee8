import type { TokenizerJson } from '../tokenizer.ts';
import { addedTokensOf, listOf, partOf } from './parts.ts';

/** The id of what a vocabulary does not hold; undefined where a tokenizer has none. */
export const unknownOf = (json: TokenizerJson): number | undefined => {
  const { unk_token, unk_id, vocab } = partOf(json.model);
  if (typeof unk_id === 'number') return unk_id;
  if (typeof unk_token !== 'string') return undefined;
  const id = Array.isArray(vocab) ? undefined : partOf(vocab)[unk_token];
  return typeof id === 'number' ? id : addedTokensOf(json).find(({ content }) => content === unk_token)?.id;
};

const specialIds = (json: TokenizerJson, unknown: number | undefined): ReadonlySet<number> =>
  new Set(
    listOf(json.added_tokens).flatMap((token) => {
      const { id, special } = partOf(token);
      return special === true && typeof id === 'number' && id !== unknown ? [id] : [];
    }),
  );

/** The share (0 to 1) of the tokens of texts, special ones aside, that the vocabulary does not hold; 1 where nothing is left. */
export const unknownShare = (json: TokenizerJson, texts: readonly Iterable<number>[]): number => {
  const unknown = unknownOf(json);
  const special = specialIds(json, unknown);
  let [all, lost] = [0, 0];
  for (const ids of texts) {
    for (const id of ids) {
      if (special.has(id)) continue;
      all++;
      if (id === unknown) lost++;
    }
  }
  return all === 0 ? 1 : lost / all;
};
