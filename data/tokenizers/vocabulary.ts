import { modelError } from '../../ground/errors.ts';
import { preTokenizerOf } from '../tokenize.ts';
import type { TokenizerJson } from '../tokenizer.ts';

/** Special tokens of trained tokenizers, in the order of their ids, and their roles. */
export const special = { padding: '[PAD]', unknown: '[UNK]', first: '[CLS]', last: '[SEP]', mask: '[MASK]' } as const;

const specials = Object.values(special);

export interface TrainOptions {
  /** Tokens at most, special tokens included. */
  readonly size: number;
  /** Pairs of pieces seen less often stay apart. */
  readonly minFrequency?: number;
}

export const DEFAULT_MIN_FREQUENCY = 2;

/** Parts of tokenizer.json that trained tokenizers share: special tokens, [CLS] in front and [SEP] behind. */
export const frame = (parts: {
  readonly normalizer: TokenizerJson | null;
  readonly pre_tokenizer: TokenizerJson;
  readonly decoder: TokenizerJson;
  readonly model: TokenizerJson;
}): TokenizerJson => {
  const id = (token: string): number => specials.indexOf(token as (typeof specials)[number]);
  const entry = (token: string) => [token, { id: token, ids: [id(token)], tokens: [token] }] as const;
  const framed = (...sequences: readonly ('A' | 'B')[]) => [
    { SpecialToken: { id: special.first, type_id: 0 } },
    ...sequences.flatMap((sequence, type_id) => [
      { Sequence: { id: sequence, type_id } },
      { SpecialToken: { id: special.last, type_id } },
    ]),
  ];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specials.map((content) => ({
      id: id(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: parts.normalizer,
    pre_tokenizer: parts.pre_tokenizer,
    post_processor: {
      type: 'TemplateProcessing',
      single: framed('A'),
      pair: framed('A', 'B'),
      special_tokens: Object.fromEntries([entry(special.first), entry(special.last)]),
    },
    decoder: parts.decoder,
    model: parts.model,
  };
};

/** Ids by token: special tokens first, then the given ones in order. */
export const numbered = (tokens: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries([...specials, ...tokens].map((token, id) => [token, id]));

/** Tokens that training may add beside the special ones. */
export const room = ({ size }: TrainOptions): number => {
  if (!Number.isInteger(size) || size <= specials.length) {
    throw modelError(`a vocabulary of ${size} tokens; expected a whole number above ${specials.length}`);
  }
  return size - specials.length;
};

/** Counts words as the tokenizer itself will cut them, so that training and encoding agree. */
export const countWords = (texts: Iterable<string>, tokenizer: TokenizerJson): ReadonlyMap<string, number> => {
  const wordsOf = preTokenizerOf(tokenizer);
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
};
