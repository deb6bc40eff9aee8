import type { TokenizerJson } from '../data/tokenizer.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { modelError } from '../ground/errors.ts';
import type { TaskName } from '../ground/tasks.ts';
import type { NumberTexts } from './number-texts.ts';
import type { Signature } from './signature.ts';

/** How a features model makes one vector of a text, where its makers say so (sentence-transformers). */
export interface SentenceRule {
  readonly pooling: 'mean' | 'first';
  readonly normalize: boolean;
}

/** Token ids with a role. `padding` fills batches (masked), `unknown` replaces dropped tokens, `start` is what answers begin behind. */
export interface TokenRule {
  readonly padding: number;
  readonly unknown: number;
  readonly start?: number;
}

/** The images that a model reads, and what it takes for a sample b of channel c: (scale b - mean[c]) / deviation[c]. */
export interface PixelRule {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly scale: number;
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** What stands between examples and ports: how batches are filled, and what is made of an output. */
export interface Processor {
  /** Of models that read texts. */
  readonly tokens?: TokenRule;
  /** Of models that read images. */
  readonly pixels?: PixelRule;
  readonly sentence?: SentenceRule;
  /** What is done to the number that the graph puts out, where that is anything. */
  readonly activation?: 'sigmoid';
  /** Probability above which each class is said of a text, by class index, where they are others than one half. */
  readonly thresholds?: readonly number[];
}

/**
 * Everything besides the graph that makes a model usable. Stored as model.json beside model.onnx and, where texts are read, tokenizer.json.
 */
export interface ModelInfo {
  readonly schema: 'decant.model/2';
  readonly task: TaskName;
  /** Class names by class index; empty for features and fill-mask. */
  readonly labels: readonly string[];
  readonly signature: Signature;
  readonly processor: Processor;
  /** Longest sequence that the positions allow, in tokens, special tokens included; 1 of a model that reads images. */
  readonly maxLength: number;
  /**
   * Values of the unfused graph that hold the residual stream after each layer (batch, sequence, hidden), in order; only where
   * they are others than the graph itself shows (`hiddenStatesOf`).
   */
  readonly hiddenStates?: readonly Value[];
  /** Weights of which pruning made zeros: whoever trains the model leaves these zero (`holdZeros`). */
  readonly sparse?: readonly Value[];
  /** Hugging Face model_type under which transformers.js passes exactly this graph's inputs, e.g. "distilbert". */
  readonly modelType: string;
  /** config.json of the checkpoint that was imported: what an export says again, with this model's sizes and labels. */
  readonly checkpoint?: Readonly<Record<string, unknown>>;
  /** How its numbers were written, where JavaScript writes them otherwise: clients tell 2.0 from 2. */
  readonly checkpointNumbers?: NumberTexts;
  /** tokenizer_config.json of that checkpoint: the class and the special tokens that clients go by. */
  readonly tokenizerConfig?: Readonly<Record<string, unknown>>;
  /** Architecture figures for people and for config.json: hidden, layers, heads, ffn, vocabulary ... */
  readonly dimensions: Readonly<Record<string, number>>;
  /** Where the weights came from, licence included, for reports and model cards. */
  readonly origin?: string;
}

/** The artifact that stages pass on: a graph alone is not a model. */
export interface Model {
  readonly graph: Graph;
  readonly info: ModelInfo;
  /** Of models that read texts. */
  readonly tokenizer?: TokenizerJson;
}

/** A model that reads texts. */
export interface TextModel extends Model {
  readonly tokenizer: TokenizerJson;
}

/** The tokenizer of a model that reads texts. */
export const tokenizerIn = ({ tokenizer }: Pick<Model, 'tokenizer'>): TokenizerJson => {
  if (tokenizer === undefined) throw modelError('the model has no tokenizer: it reads no texts');
  return tokenizer;
};

/** Token ids with a role, of a model that reads texts. */
export const tokensIn = ({ tokens }: Processor): TokenRule => {
  if (tokens === undefined) throw modelError('the model has no tokens: it reads no texts');
  return tokens;
};

/** The images that a model reads. */
export const pixelsIn = ({ pixels }: Processor): PixelRule => {
  if (pixels === undefined) throw modelError('the model has no size of images: it reads no images');
  return pixels;
};
