import { thresholdOf } from '../../data/sets.ts';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { modelTask } from '../../ground/tasks.ts';
import { activationNames } from '../../models/activation.ts';
import { type ModelInfo, tokensIn } from '../../models/model.ts';
import { clientOptions, type Precision, preferred } from '../../models/precision.ts';
import { clientClassOf } from './families.ts';
import { tokenId } from './tokenizer.ts';
import { specialTokens } from './tokens.ts';

type Config = Readonly<Record<string, unknown>>;

/** What a checkpoint says of its own file and history, and what is said anew for this model. */
const droppedKeys: ReadonlySet<string> = new Set([
  '_name_or_path',
  '_num_labels',
  'auto_map',
  'decant',
  'dtype',
  'finetuning_task',
  'id2label',
  'label2id',
  'num_labels',
  'problem_type',
  'pruned_heads',
  'quantization_config',
  'thresholds',
  'tokenizer_class',
  'torch_dtype',
  'transformers.js_config',
  'transformers_version',
]);

const isPerLayer = (key: string, given: unknown): given is readonly unknown[] =>
  key === 'layer_types' && Array.isArray(given);

/** The checkpoint's own words, less what no longer holds. */
const kept = ({ checkpoint = {}, dimensions }: ModelInfo): Config =>
  Object.fromEntries(
    Object.entries(checkpoint).filter(
      ([key, given]) => !droppedKeys.has(key) && !(isPerLayer(key, given) && given.length !== dimensions.layers),
    ),
  );

const sizesOf = ({ dimensions }: ModelInfo, names: Readonly<Record<string, string>>): Config => {
  const sizes: Record<string, number> = {};
  for (const [name, size] of Object.entries(dimensions)) {
    const known = names[name];
    if (known !== undefined) sizes[known] = size;
  }
  return sizes;
};

/** Ids of special tokens that the checkpoint names, as this model's tokenizer numbers them; null where it has none. */
const tokenIds = (info: ModelInfo, tokenizer: TokenizerJson): Config => {
  const tokens = specialTokens(info, tokenizer);
  const ids: Record<string, unknown> = {};
  for (const key of Object.keys(info.checkpoint ?? {}).filter((name) =>
    /^(bos|eos|cls|sep|mask)_token_id$/.test(name),
  )) {
    const text = tokens[key.replace(/_id$/, '')];
    const given = info.checkpoint?.[key];
    const id = text === undefined ? undefined : tokenId(tokenizer, text);
    ids[key] = id ?? (info.dimensions.vocabulary === info.checkpoint?.vocab_size ? given : null);
  }
  const { padding, start } = tokensIn(info.processor);
  return { ...ids, pad_token_id: padding, ...(start === undefined ? {} : { decoder_start_token_id: start }) };
};

/** What is said of the texts that it reads. */
const positionsOf = ({ checkpoint, maxLength }: ModelInfo): Config =>
  checkpoint === undefined ? { max_position_embeddings: maxLength } : {};

/** What is said of the images that it reads. */
const imagesOf = ({ processor: { pixels } }: ModelInfo): Config =>
  pixels === undefined
    ? {}
    : {
        image_size: pixels.height === pixels.width ? pixels.height : [pixels.height, pixels.width],
        num_channels: pixels.channels,
      };

/** A problem is left out where clients would take it for a reason to do nothing to a number. */
const problemOf = ({ task, processor }: ModelInfo): Config => {
  const { problem } = modelTask(task);
  return problem === undefined || processor.activation !== undefined ? {} : { problem_type: problem };
};

/** One output without a name, and what clients do to it: whatever a checkpoint said of another head. */
const numberOf = ({ task, processor: { activation } }: ModelInfo): Config =>
  modelTask(task).answer === 'number'
    ? {
        ...{ id2label: { 0: 'LABEL_0' }, label2id: { LABEL_0: 0 } },
        sentence_transformers: { activation_fn: activationNames[activation ?? 'none'] },
        sbert_ce_default_activation_function: undefined,
      }
    : {};

/** By class, for whoever reads probabilities that a client gives. */
const thresholdsOf = ({ labels, processor: { thresholds } }: ModelInfo): Config =>
  thresholds === undefined
    ? {}
    : { thresholds: Object.fromEntries(labels.map((label, c) => [label, thresholdOf(thresholds, c)])) };

const labelsOf = (info: ModelInfo): Config =>
  info.labels.length === 0
    ? {}
    : {
        id2label: Object.fromEntries(info.labels.map((label, i) => [i, label])),
        label2id: Object.fromEntries(info.labels.map((label, i) => [label, i])),
      };

/** generation_config.json: where a text begins and ends, and that nobody draws unless asked. */
export const generationJson = (info: ModelInfo, tokenizer: TokenizerJson): Config => ({
  ...tokenIds(info, tokenizer),
  do_sample: false,
});

/** What the files of an export are: fused, so that values inside go by other names. */
const withoutStates = ({ hiddenStates: _, ...info }: ModelInfo): ModelInfo => info;

/**
 * config.json: what transformers.js needs to choose class and file, the checkpoint's own words where there was one, and
 * what decant needs to read the folder again.
 */
export const configJson = (
  info: ModelInfo,
  tokenizer: TokenizerJson | undefined,
  files: readonly Precision[],
): Record<string, unknown> => {
  const { modelType, architecture, sizes } = clientClassOf(info);
  return {
    ...kept(info),
    model_type: modelType,
    architectures: [architecture],
    ...(tokenizer === undefined ? imagesOf(info) : positionsOf(info)),
    ...sizesOf(info, sizes),
    ...(tokenizer === undefined ? {} : tokenIds(info, tokenizer)),
    ...problemOf(info),
    ...labelsOf(info),
    ...numberOf(info),
    ...thresholdsOf(info),
    'transformers.js_config': { dtype: clientOptions(preferred(files)).dtype },
    decant: { files, model: withoutStates(info) },
  };
};
