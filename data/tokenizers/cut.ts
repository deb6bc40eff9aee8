import { modelError } from '../../ground/errors.ts';
import type { TextInput } from '../tokenize.ts';
import { modelWordsOf, tokenizerOf } from '../tokenize.ts';
import type { TokenizerJson } from '../tokenizer.ts';
import { mergesOf, pairOf, productsOf } from './derive.ts';
import { modelKindOf } from './format.ts';
import { addedTokensOf, listOf, type Part, partOf, vocabularyOf } from './parts.ts';

export interface CutTokenizer {
  readonly tokenizer: TokenizerJson;
  /** The old id of each new id: the rows of a table that stay, in order. */
  readonly ids: Int32Array;
}

type NewIds = ReadonlyMap<number, number>;
type Vocabulary = ReadonlyMap<string, number>;

/** What a kind of model needs to cut texts as before, and any text at all. */
interface Kind {
  /** Whether a token belongs to the letters that words fall apart into. */
  isLetter(token: string, model: Part): boolean;
  /** Further ids that must stay with the kept ones. */
  needs(model: Part, vocabulary: Vocabulary, kept: ReadonlySet<number>): Iterable<number>;
  cut(model: Part, ids: NewIds): Part;
}

const isSingle = (text: string): boolean => Array.from(text).length === 1;

const text = (json: unknown): string => (typeof json === 'string' ? json : '');

const without = (token: string, prefix: string, suffix: string): string => {
  const bare = prefix !== '' && token.startsWith(prefix) ? token.slice(prefix.length) : token;
  return suffix !== '' && bare.endsWith(suffix) ? bare.slice(0, -suffix.length) : bare;
};

/** Tokens that stand for one byte where a vocabulary falls back to bytes. */
const isByte = (token: string): boolean => /^<0x[0-9A-F]{2}>$/.test(token);

const unknownOf = ({ unk_token }: Part, vocabulary: Vocabulary): readonly number[] => {
  const id = vocabulary.get(text(unk_token));
  return id === undefined ? [] : [id];
};

/** A vocabulary that maps tokens to ids, with the new ones in their order. */
const renumbered = (vocab: unknown, ids: NewIds): Readonly<Record<string, number>> => {
  const entries = Object.entries(partOf(vocab)).flatMap(([token, id]): [string, number][] => {
    const now = ids.get(Number(id));
    return now === undefined ? [] : [[token, now]];
  });
  return Object.fromEntries(entries.sort(([, a], [, b]) => a - b));
};

/** Greedy from the left: every longest match stays, so all later ones are found again. */
const wordPiece: Kind = {
  isLetter: (token, model) => isSingle(without(token, text(model.continuing_subword_prefix), '')),
  needs: unknownOf,
  cut: (model, ids) => ({ ...model, vocab: renumbered(model.vocab, ids) }),
};

/** Words that go become the unknown token, so there has to be one. */
const wordLevel: Kind = {
  isLetter: () => false,
  needs: (model, vocabulary) => {
    const unknown = unknownOf(model, vocabulary);
    if (unknown.length > 0) return unknown;
    throw modelError(
      'a WordLevel tokenizer whose vocabulary lacks its unk_token cannot be cut: other words would fail',
    );
  },
  cut: wordPiece.cut,
};

/**
 * Merges are applied by rank. As long as every merge that a text meets stays, so does the order in which they are met: kept
 * tokens need all that they are merged from.
 */
const bytePair: Kind = {
  isLetter: (token, model) => isSingle(without(token, '', text(model.end_of_word_suffix))) || isByte(token),
  needs: (model, vocabulary, kept) => {
    const tokens = [...vocabulary].filter(([, id]) => kept.has(id)).map(([token]) => token);
    const products = productsOf(tokens, mergesOf(model), text(model.end_of_word_suffix));
    return [...unknownOf(model, vocabulary), ...[...products].flatMap((token) => vocabulary.get(token) ?? [])];
  },
  cut: (model, ids) => {
    const vocab = renumbered(model.vocab, ids);
    const stays = (token: string): boolean => Object.hasOwn(vocab, token);
    const merges = listOf(model.merges).filter((merge) => {
      const [left, right] = pairOf(merge);
      return stays(left) && stays(right) && stays(left + right);
    });
    return { ...model, vocab, merges };
  },
};

const scoreOf = (entry: unknown): number => Number(listOf(entry)[1]);

/** The best of all cuts stays the best when others go. Unknown characters cost ten more than the worst piece: it stays. */
const unigram: Kind = {
  isLetter: (token) => isSingle(token) || isByte(token),
  needs: ({ vocab, unk_id }) => {
    const scores = listOf(vocab).map(scoreOf);
    const worst = scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY);
    return [scores.indexOf(worst), ...(typeof unk_id === 'number' ? [unk_id] : [])];
  },
  cut: (model, ids) => ({
    ...model,
    vocab: listOf(model.vocab).filter((_, id) => ids.has(id)),
    ...(typeof model.unk_id === 'number' ? { unk_id: ids.get(model.unk_id) } : {}),
  }),
};

const kinds: Readonly<Record<string, Kind>> = {
  WordPiece: wordPiece,
  WordLevel: wordLevel,
  BPE: bytePair,
  Unigram: unigram,
};

const kindOf = (model: Part): Kind => {
  const name = String(modelKindOf(model));
  const kind = kinds[name];
  if (kind !== undefined) return kind;
  throw modelError(`a tokenizer of kind '${name}' cannot be cut; expected ${Object.keys(kinds).join(', ')}`);
};

/** Post-processors with the ids inside them replaced; `see` learns of each. */
const mapProcessor = (json: unknown, map: (id: number) => number): unknown => {
  if (json === null || json === undefined) return json;
  const part = partOf(json);
  const mapToken = (token: unknown): unknown => {
    const [content, id] = listOf(token);
    return typeof id === 'number' ? [content, map(id)] : token;
  };
  const mapTemplate = (token: unknown): Part => ({
    ...partOf(token),
    ids: listOf(partOf(token).ids).map((id) => map(Number(id))),
  });
  return {
    ...part,
    ...('processors' in part ? { processors: listOf(part.processors).map((inner) => mapProcessor(inner, map)) } : {}),
    ...('cls' in part ? { cls: mapToken(part.cls), sep: mapToken(part.sep) } : {}),
    ...('special_tokens' in part
      ? {
          special_tokens: Object.fromEntries(
            Object.entries(partOf(part.special_tokens)).map(([name, token]) => [name, mapTemplate(token)]),
          ),
        }
      : {}),
  };
};

const processorIds = (json: unknown): readonly number[] => {
  const found: number[] = [];
  mapProcessor(json, (id) => {
    found.push(id);
    return id;
  });
  return found;
};

const paddingIds = (padding: unknown): readonly number[] => {
  const { pad_id } = partOf(padding);
  return typeof pad_id === 'number' ? [pad_id] : [];
};

/** Every id that stays, ascending. */
const staying = (json: TokenizerJson, model: Part, asked: readonly number[]): Int32Array => {
  const kind = kindOf(model);
  const vocabulary = vocabularyOf(json);
  const added = addedTokensOf(json).map(({ id }) => id);
  const known = new Set([...vocabulary.values(), ...listOf(model.vocab).keys(), ...added]);
  const strange = asked.find((id) => !known.has(id));
  if (strange !== undefined) throw modelError(`the tokenizer has no token ${strange}, so it cannot be kept`);
  const letters = [...vocabulary].filter(([token]) => kind.isLetter(token, model)).map(([, id]) => id);
  const kept = new Set([
    ...asked,
    ...added,
    ...letters,
    ...processorIds(json.post_processor),
    ...paddingIds(json.padding),
  ]);
  for (const id of kind.needs(model, vocabulary, kept)) kept.add(id);
  return Int32Array.from(kept).sort();
};

/**
 * A tokenizer with part of its vocabulary, numbered anew in the old order. Besides the asked ids all stay that texts of
 * these tokens and any other text need: special tokens, single characters and bytes, and what kept tokens are merged
 * from. Ids with a role in the model (padding, unknown) belong among the asked ones.
 */
export const cutTokenizer = (json: TokenizerJson, kept: readonly number[]): CutTokenizer => {
  const model = partOf(json.model);
  const ids = staying(json, model, kept);
  const now: NewIds = new Map(Array.from(ids, (old, id) => [old, id]));
  const map = (id: number): number => now.get(id) ?? id;
  const padding = partOf(json.padding);
  return {
    ids,
    tokenizer: {
      ...json,
      ...(paddingIds(padding).length > 0 ? { padding: { ...padding, pad_id: map(Number(padding.pad_id)) } } : {}),
      added_tokens: listOf(json.added_tokens).map((token) => ({ ...partOf(token), id: map(Number(partOf(token).id)) })),
      post_processor: mapProcessor(json.post_processor, map),
      model: kindOf(model).cut(model, now),
    },
  };
};

/** The matches of a word up to where WordPiece gives up: without them it might go on another way, and not give up. */
const matchedBefore = (word: string, model: Part, vocabulary: Vocabulary): readonly number[] => {
  const characters = Array.from(word);
  const found: number[] = [];
  if (characters.length > Number(model.max_input_chars_per_word ?? 100)) return found;
  for (let start = 0; start < characters.length; ) {
    const prefix = start === 0 ? '' : text(model.continuing_subword_prefix);
    let end = characters.length;
    while (end > start && !vocabulary.has(prefix + characters.slice(start, end).join(''))) end--;
    if (end === start) break;
    found.push(vocabulary.get(prefix + characters.slice(start, end).join('')) ?? 0);
    start = end;
  }
  return found;
};

type Counts = ReadonlyMap<number, number>;

/** Texts that are counted at once. */
const PIECE = 1000;

const inPieces = async function* (
  texts: AsyncIterable<TextInput> | Iterable<TextInput>,
): AsyncGenerator<readonly TextInput[]> {
  let piece: TextInput[] = [];
  for await (const text of texts) {
    piece.push(text);
    if (piece.length < PIECE) continue;
    yield piece;
    piece = [];
  }
  if (piece.length > 0) yield piece;
};

const sidesOf = (input: TextInput): readonly string[] => {
  const { text, pair = '' } = typeof input === 'string' ? { text: input } : input;
  return pair === '' ? [text] : [text, pair];
};

/** How often each token occurs in texts: what a cut has to keep so that they are encoded as before. */
export const countTokens = async (
  json: TokenizerJson,
  texts: AsyncIterable<TextInput> | Iterable<TextInput>,
): Promise<Counts> => {
  const [encoder, vocabulary, model] = [tokenizerOf(json), vocabularyOf(json), partOf(json.model)];
  const unknown = modelKindOf(model) === 'WordPiece' ? vocabulary.get(text(model.unk_token)) : undefined;
  const wordsOf = modelWordsOf(json);
  const counts = new Map<number, number>();
  const count = (id: number): void => void counts.set(id, (counts.get(id) ?? 0) + 1);
  for await (const piece of inPieces(texts)) {
    const encoded = await encoder.encodeBatch(piece, Number.POSITIVE_INFINITY);
    for (const { ids } of encoded) ids.forEach(count);
    const holdsUnknown = (_: TextInput, i: number): boolean =>
      unknown !== undefined && (encoded[i]?.ids.includes(unknown) ?? false);
    const words = await wordsOf(piece.filter(holdsUnknown).flatMap(sidesOf));
    for (const word of words.flat()) for (const id of matchedBefore(word, model, vocabulary)) count(id);
  }
  return counts;
};
