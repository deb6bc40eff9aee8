import type { Dataset } from '../../data/dataset.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { cutTokenizer } from '../../data/tokenizers/cut.ts';
import { keepTokens, tokenRows } from '../../models/anatomy/tokens.ts';
import type { Model, ModelInfo } from '../../models/model.ts';
import { StageError } from '../stage.ts';
import { encodeExamples, longest } from '../train/examples.ts';
import { type Count, targetOf } from './counts.ts';
import type { Pruned } from './prune.ts';

const record = (value: unknown): Readonly<Record<string, unknown>> => Object(value);

/** How often the training texts, labelled or not, use each token of the model, as the model reads them. */
export const tokenCounts = async (model: Model, dataset: Dataset, signal: AbortSignal): Promise<Float64Array> => {
  const counts = new Float64Array(tokenizerOf(model.tokenizer).size);
  const texts = [...dataset.train, ...dataset.unlabelled];
  const { ids } = await encodeExamples(texts, model, longest(dataset, model), signal);
  for (const text of ids) for (const id of text) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
};

const addedIds = ({ added_tokens }: TokenizerJson): readonly number[] =>
  Array.isArray(added_tokens) ? added_tokens.map((token) => Number(record(token).id)) : [];

/** A token that stands for one character, at the beginning of a word or inside of it. */
const isCharacter = (token: string, prefix: string): boolean =>
  [...token].length === 1 ||
  (prefix !== '' && token.startsWith(prefix) && [...token.slice(prefix.length)].length === 1);

/** Tokens that every vocabulary needs: those with a role, and single characters, of which any text can be made. */
const neededTokens = ({ tokenizer: json, info }: Model): ReadonlySet<number> => {
  const tokenizer = tokenizerOf(json);
  const { continuing_subword_prefix: prefix, unk_token } = record(json.model);
  const characters = Array.from({ length: tokenizer.size }, (_, id) => id).filter((id) => {
    const token = tokenizer.token(id) ?? '';
    return token === unk_token || isCharacter(token, typeof prefix === 'string' ? prefix : '');
  });
  return new Set([...addedIds(json), ...Object.values(info.tokens), ...characters]);
};

const kept = (ids: readonly number[]): readonly number[] => ids.toSorted((a, b) => a - b);

/** The needed tokens and the most frequent others, so many in all; of equally frequent ones the earlier. */
const mostFrequent = (counts: Float64Array, needed: ReadonlySet<number>, count: Count): readonly number[] => {
  const { kept: wanted } = targetOf(count, counts.length);
  if (wanted > counts.length) {
    throw new StageError(`keep.vocabulary: ${wanted} tokens were to be kept of a tokenizer that has ${counts.length}`);
  }
  if (wanted < needed.size) {
    throw new StageError(
      `keep.vocabulary: ${wanted} tokens were to be kept, but special tokens and single characters alone are ` +
        `${needed.size}; keep more`,
    );
  }
  const others = Array.from(counts.keys()).filter((id) => !needed.has(id));
  others.sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b);
  return kept([...needed, ...others.slice(0, wanted - needed.size)]);
};

const choose = (counts: Float64Array, needed: ReadonlySet<number>, keep: Count): readonly number[] => {
  if (keep !== 'used') return mostFrequent(counts, needed, keep);
  return kept([...new Set([...needed, ...Array.from(counts.keys()).filter((id) => (counts[id] ?? 0) > 0)])]);
};

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

const infoAfter = (info: ModelInfo, ids: readonly number[]): ModelInfo => {
  const idOf = new Map(ids.map((old, id) => [old, id]));
  const moved = (id: number): number => {
    const found = idOf.get(id);
    if (found === undefined) throw new Error(`the special token ${id} was cut`);
    return found;
  };
  return {
    ...info,
    ...checkpointAfter(info.checkpoint, idOf),
    tokens: { padding: moved(info.tokens.padding), unknown: moved(info.tokens.unknown) },
    dimensions: { ...info.dimensions, vocabulary: ids.length },
  };
};

/** Failures of tokenizer and graph surgery are about the user's model: they are told like other wrong requests. */
const orRefused = <T>(work: () => T): T => {
  try {
    return work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StageError(`keep.vocabulary: ${reason}; leave vocabulary out`, { cause });
  }
};

const sum = (counts: Float64Array, ids: Iterable<number>): number =>
  [...ids].reduce((total, id) => total + (counts[id] ?? 0), 0);

/**
 * Leaves out tokens that the training texts do not use (or use least): rows of the token table, and the same tokens of the
 * tokenizer. With `used`, every training text is cut into the same tokens as before and the model says the same about it.
 */
export const cutVocabulary = async (
  model: Model,
  keep: Count,
  dataset: Dataset,
  signal: AbortSignal,
): Promise<Pruned> => {
  const rows = tokenRows(model);
  if (rows === 0) throw new StageError('keep.vocabulary: the model has no table that token ids look up');
  const counts = await tokenCounts(model, dataset, signal);
  const chosen = choose(counts, neededTokens(model), keep);
  const { tokenizer, ids } = orRefused(() => cutTokenizer(model.tokenizer, chosen));
  const graph = orRefused(() => keepTokens(model, ids));
  const used = counts.filter((count) => count > 0).length;
  const coverage = Number((sum(counts, ids) / Math.max(1, sum(counts, counts.keys()))).toPrecision(4));
  return {
    model: { graph, tokenizer, info: infoAfter(model.info, ids) },
    metrics: { vocabulary: { from: rows, to: ids.length, used, coverage } },
  };
};
