import { stageError } from '../../ground/errors.ts';
import { type ModelTask, modelTask, type TaskName, taskReading } from '../../ground/tasks.ts';
import type { ModelInfo } from '../../models/model.ts';

/** A kind of checkpoint as Hugging Face's clients know it. */
interface Family {
  /** What the names of its classes begin with: DistilBert in DistilBertForMaskedLM. */
  readonly classes: string;
  /** decant's figures under the names of its config.json. */
  readonly sizes: Readonly<Record<string, string>>;
  /** Whether it reads images, and no texts. */
  readonly images?: true;
  /** What transformers.js has no class for that answers about it, though Python has. */
  readonly missing?: readonly ModelTask['about'][];
  /** Whether its models write texts: transformers.js has no class of it that answers otherwise. */
  readonly decodes?: true;
  /** The model_type that it goes by where clients have no class of its own. */
  readonly as?: string;
  /** What the names of its classes end with where that is not what the task's others do. */
  readonly suffix?: string;
  /** Whether its models answer texts by texts: an encoder and a decoder. */
  readonly answers?: true;
  /** Its tokenizer class that tells the texts of a pair apart, where that is not BERT's. */
  readonly tokenizer?: string;
}

const sizes = {
  hidden: 'hidden_size',
  layers: 'num_hidden_layers',
  heads: 'num_attention_heads',
  ffn: 'intermediate_size',
  vocabulary: 'vocab_size',
};

const factorized = { ...sizes, embedding: 'embedding_size' };

/** Of what reads images by patches. */
const imageSizes = {
  ...{ hidden: 'hidden_size', layers: 'num_hidden_layers', heads: 'num_attention_heads' },
  ...{ ffn: 'intermediate_size', patch: 'patch_size' },
};

const distilbert: Family = {
  classes: 'DistilBert',
  sizes: { hidden: 'dim', layers: 'n_layers', heads: 'n_heads', ffn: 'hidden_dim', vocabulary: 'vocab_size' },
};

const decoder = {
  sizes: { ...sizes, kvHeads: 'num_key_value_heads', headWidth: 'head_dim' },
  decodes: true,
} as const;

const gpt2: Family = {
  classes: 'GPT2',
  sizes: { hidden: 'n_embd', layers: 'n_layer', heads: 'n_head', ffn: 'n_inner', vocabulary: 'vocab_size' },
  ...{ suffix: 'LMHeadModel', decodes: true },
};

const opt: Family = {
  classes: 'OPT',
  sizes: { ...sizes, ffn: 'ffn_dim', embedding: 'word_embed_proj_dim' },
  decodes: true,
};

const bert: Family = { classes: 'Bert', sizes };

/** By model_type. A test holds every entry against the mapping of @huggingface/transformers itself. */
export const families: Readonly<Record<string, Family>> = {
  albert: {
    classes: 'Albert',
    sizes: factorized,
    missing: ['word'],
    tokenizer: 'AlbertTokenizer',
  },
  bert,
  camembert: { classes: 'Camembert', sizes },
  'deberta-v2': { classes: 'DebertaV2', sizes, tokenizer: 'DebertaV2Tokenizer' },
  distilbert,
  gemma: { classes: 'Gemma', ...decoder },
  gemma2: { classes: 'Gemma2', ...decoder },
  gpt2,
  gpt_neox: { classes: 'GPTNeoX', sizes, decodes: true },
  electra: { classes: 'Electra', sizes: factorized },
  llama: { classes: 'Llama', ...decoder },
  minimind: { classes: 'Llama', as: 'llama', ...decoder },
  mistral: { classes: 'Mistral', ...decoder },
  deit: { classes: 'DeiT', sizes: imageSizes, images: true },
  mobilebert: { classes: 'MobileBert', sizes: factorized, missing: ['word'] },
  modernbert: { classes: 'ModernBert', sizes },
  mpnet: { classes: 'MPNet', sizes },
  opt,
  qwen2: { classes: 'Qwen2', ...decoder },
  qwen3: { classes: 'Qwen3', ...decoder },
  roberta: { classes: 'Roberta', sizes },
  t5: {
    classes: 'T5',
    answers: true,
    sizes: {
      ...{ hidden: 'd_model', layers: 'num_layers', decoderLayers: 'num_decoder_layers', heads: 'num_heads' },
      ...{ headWidth: 'd_kv', ffn: 'd_ff', vocabulary: 'vocab_size' },
    },
  },
  vit: { classes: 'ViT', sizes: imageSizes, images: true },
  'xlm-roberta': { classes: 'XLMRoberta', sizes },
};

/** What a client loads a model as. */
export interface ClientClass {
  readonly modelType: string;
  /** What the names of its classes begin with. */
  readonly classes: string;
  /** The entry of `architectures` in config.json. */
  readonly architecture: string;
  readonly sizes: Family['sizes'];
}

/** The task that alone a family is exported for. */
const onlyFor = ({ decodes, answers }: Family): TaskName | undefined =>
  decodes === true ? taskReading('before') : answers === true ? taskReading('source') : undefined;

/** Why no client loads what is made of a model that writes. */
const madeFor = (modelType: string, only: string, task: string): string =>
  `models of type '${modelType}' are exported for ${only} alone; this one is for ${task}`;

/** Why no client loads a model. */
const unknownFamily = (modelType: string): string =>
  `transformers.js is not known to load models of type '${modelType}'; export writes ${Object.keys(families).join(', ')}`;

/**
 * Class and model_type that clients find a model by. Where transformers.js lacks the class of a family and task, the
 * model goes as BERT: the class decides which inputs are fed and how outputs are read, the graph computes the rest.
 */
export const clientClassOf = ({ modelType, task }: Pick<ModelInfo, 'modelType' | 'task'>): ClientClass => {
  const own = families[modelType];
  if (own === undefined) throw stageError(unknownFamily(modelType));
  const standsIn = own.missing?.includes(modelTask(task).about) === true;
  const only = onlyFor(own);
  if (only !== undefined && only !== task) throw stageError(madeFor(modelType, only, task));
  const { classes, sizes: names, suffix } = standsIn ? bert : own;
  return {
    modelType: standsIn ? 'bert' : (own.as ?? modelType),
    classes,
    architecture: `${classes}${suffix ?? modelTask(task).classSuffix}`,
    sizes: names,
  };
};

/** The class for models that must tell the texts of a pair apart, where the checkpoint's own does not do so. */
export const pairTokenizerOf = (modelType: string): string => families[modelType]?.tokenizer ?? 'BertTokenizer';

/** Tokenizer classes of transformers.js that tell the two texts of a pair apart (token_type_ids), and those that do not. */
export const tokenizerClasses: Readonly<Record<string, { readonly types: boolean }>> = {
  AlbertTokenizer: { types: true },
  BertTokenizer: { types: true },
  CamembertTokenizer: { types: false },
  DebertaV2Tokenizer: { types: true },
  DistilBertTokenizer: { types: false },
  ElectraTokenizer: { types: true },
  MPNetTokenizer: { types: false },
  MobileBertTokenizer: { types: true },
  PreTrainedTokenizer: { types: false },
  RobertaTokenizer: { types: false },
  TokenizersBackend: { types: false },
  XLMRobertaTokenizer: { types: false },
};
