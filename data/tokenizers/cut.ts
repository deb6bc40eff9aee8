import type { TokenizerJson } from '../tokenizer.ts';

interface AddedToken {
  readonly id: number;
}

const record = (value: unknown): Readonly<Record<string, unknown>> => Object(value);

/** The ids of special tokens that a template names, renumbered. */
const templateAfter = (processor: unknown, idOf: ReadonlyMap<number, number>): unknown => {
  const { special_tokens } = record(processor);
  if (special_tokens === undefined) return processor;
  const renumbered = Object.entries(record(special_tokens)).map(([name, token]) => {
    const { ids } = record(token);
    return [name, { ...record(token), ids: Array.isArray(ids) ? ids.map((id) => idOf.get(id) ?? id) : ids }];
  });
  return { ...record(processor), special_tokens: Object.fromEntries(renumbered) };
};

/** The tokenizer with only some tokens, in their old order; `ids` tells the old id of each new one. */
export const cutTokenizer = (
  json: TokenizerJson,
  kept: readonly number[],
): { readonly tokenizer: TokenizerJson; readonly ids: readonly number[] } => {
  const ids = kept.toSorted((a, b) => a - b);
  const idOf = new Map(ids.map((old, id) => [old, id]));
  const model = record(json.model);
  if (model.type !== 'WordPiece') throw new Error(`a tokenizer of the kind ${model.type} cannot be cut`);
  const vocab = Object.entries(record(model.vocab)).flatMap(([token, id]) => {
    const next = idOf.get(Number(id));
    return next === undefined ? [] : [[token, next] as const];
  });
  const added: readonly AddedToken[] = Array.isArray(json.added_tokens) ? json.added_tokens : [];
  return {
    ids,
    tokenizer: {
      ...json,
      added_tokens: added.flatMap((token) => {
        const id = idOf.get(token.id);
        return id === undefined ? [] : [{ ...token, id }];
      }),
      post_processor: templateAfter(json.post_processor, idOf),
      model: { ...model, vocab: Object.fromEntries(vocab) },
    },
  };
};
