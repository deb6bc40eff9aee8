import type { TrainingTexts } from '../../data/files.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { type CutTokenizer, countTokens, cutTokenizer } from '../../data/tokenizers/cut.ts';
import { reworded, stageError } from '../../ground/errors.ts';
import { keepTokens, tokenRows } from '../../models/anatomy/tokens.ts';
import { type Model, type ModelInfo, type TokenRule, tokenizerIn, tokensIn } from '../../models/model.ts';
import { type Count, targetOf } from './counts.ts';
import { precise } from './precise.ts';
import type { Pruned } from './pruned.ts';

type Counts = ReadonlyMap<number, number>;

/** How often the training texts, labelled or not, use each token of the model. */
export const tokenCounts = (model: Model, texts: TrainingTexts): Promise<Counts> =>
  countTokens(tokenizerIn(model), texts.all());

/** Failures of tokenizer and graph surgery are about the user's model: they are told like other wrong requests. */
const orRefused = <T>(work: () => T): T => {
  try {
    return work();
  } catch (cause) {
    throw reworded(cause, (reason) => stageError(`keep.vocabulary: ${reason}; leave vocabulary out`, { cause }));
  }
};

/** The tokenizer with some tokens, and those that it needs beside them. */
const cutTo = (model: Model, tokens: readonly number[]): CutTokenizer =>
  orRefused(() => cutTokenizer(tokenizerIn(model), [...Object.values(tokensIn(model.info.processor)), ...tokens]));

/** The largest number up to `most` for which `fits` holds; it holds for 0, and for none above one where it does not. */
const largest = (most: number, fits: (number: number) => boolean): number => {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
};

/**
 * The most frequent tokens beside those that are always needed, `wanted` in all, or a few less where the next one would
 * bring others that it is merged from; of equally frequent ones the earlier.
 */
const mostFrequent = (model: Model, counts: Counts, wanted: number): CutTokenizer => {
  const { size } = tokenizerOf(tokenizerIn(model));
  if (wanted > size) {
    throw stageError(`keep.vocabulary: ${wanted} tokens were to be kept of a tokenizer that has ${size}`);
  }
  const needed = new Set(cutTo(model, []).ids);
  if (wanted < needed.size) {
    throw stageError(
      `keep.vocabulary: ${wanted} tokens were to be kept, but special tokens and single characters alone are ` +
        `${needed.size}; keep more`,
    );
  }
  const others = Array.from({ length: size }, (_, id) => id).filter((id) => !needed.has(id));
  others.sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || a - b);
  const at = (count: number): CutTokenizer => cutTo(model, others.slice(0, count));
  const all = at(wanted - needed.size);
  if (all.ids.length <= wanted) return all;
  return at(largest(wanted - needed.size, (count) => at(count).ids.length <= wanted));
};

const choose = (model: Model, counts: Counts, keep: Count): CutTokenizer =>
  keep === 'used'
    ? cutTo(model, [...counts.keys()])
    : mostFrequent(model, counts, targetOf(keep, tokenizerOf(tokenizerIn(model)).size).kept);

/** What a checkpoint's own configuration says of tokens: ids are renumbered, those of tokens that went are left out. */
const checkpointAfter = (
  checkpoint: ModelInfo['checkpoint'],
  idOf: ReadonlyMap<number, number>,
): Pick<ModelInfo, 'checkpoint'> => {
  if (checkpoint === undefined) return {};
  const entries = Object.entries(checkpoint).flatMap(([key, value]) => {
    if (!key.endsWith('_token_id') || typeof value !== 'number') return [[key, value] as const];
    const id = idOf.get(value);
    return id === undefined ? [] : [[key, id] as const];
  });
  const size = 'vocab_size' in checkpoint ? { vocab_size: idOf.size } : {};
  return { checkpoint: { ...Object.fromEntries(entries), ...size } };
};

const tokensAfter = (tokens: TokenRule, ids: Int32Array): TokenRule => ({
  padding: ids.indexOf(tokens.padding),
  unknown: ids.indexOf(tokens.unknown),
  ...(tokens.start === undefined ? {} : { start: ids.indexOf(tokens.start) }),
});

const infoAfter = (info: ModelInfo, ids: Int32Array): ModelInfo => ({
  ...info,
  ...checkpointAfter(info.checkpoint, new Map(Array.from(ids, (old, id) => [old, id]))),
  processor: { ...info.processor, tokens: tokensAfter(tokensIn(info.processor), ids) },
  dimensions: { ...info.dimensions, vocabulary: ids.length },
});

const sum = (counts: Counts, ids: Iterable<number>): number =>
  [...ids].reduce((total, id) => total + (counts.get(id) ?? 0), 0);

/**
 * Leaves out tokens that the training texts do not use (or use least): rows of the token table, and the same tokens of the
 * tokenizer. With `used`, every training text is cut into the same tokens as before and the model says the same about it.
 */
export const cutVocabulary = (model: Model, keep: Count, counts: Counts): Pruned => {
  const rows = tokenRows(model);
  if (rows === 0) throw stageError('keep.vocabulary: the model has no table that token ids look up');
  const { tokenizer, ids } = choose(model, counts, keep);
  const graph = orRefused(() => keepTokens(model, [...ids]));
  const coverage = precise(sum(counts, ids) / Math.max(1, sum(counts, counts.keys())));
  return {
    model: { graph, tokenizer, info: infoAfter(model.info, ids) },
    metrics: { vocabulary: { from: rows, to: ids.length, used: counts.size, coverage } },
  };
};
