import type { TokenizerJson } from '../data/tokenizer.ts';
import type { Graph } from '../graph/graph.ts';
import type { TaskName } from '../ground/tasks.ts';
import type { NumberTexts } from './number-texts.ts';

/**
 * Everything besides the graph that makes a model usable. Stored as model.json beside model.onnx and tokenizer.json.
 */
export interface ModelInfo {
  readonly schema: 'decant.model/1';
  readonly task: TaskName;
  /** Class names by class index; empty for features and fill-mask. */
  readonly labels: readonly string[];
  /**
   * Graph inputs by role, all int64 (batch, sequence). `types` tells the two texts of a pair apart (token_type_ids); models
   * without it see only the separator between them.
   */
  readonly inputs: { readonly ids: string; readonly mask: string; readonly types?: string };
  /**
   * The graph's output: features (batch, sequence, hidden), or logits: (batch, classes) of a text classifier,
   * (batch, sequence, classes) of a token classifier, (batch, sequence, vocabulary) of a fill-mask model.
   */
  readonly output: string;
  /** How a features model makes one vector of a text, where its makers say so (sentence-transformers). */
  readonly sentence?: { readonly pooling: 'mean' | 'first'; readonly normalize: boolean };
  /** Longest sequence that the positions allow, in tokens, special tokens included. */
  readonly maxLength: number;
  /** Token ids with a role. `padding` fills batches (masked), `unknown` replaces dropped tokens. */
  readonly tokens: { readonly padding: number; readonly unknown: number };
  /** Values of the unfused graph that hold the residual stream after each layer (batch, sequence, hidden), in order. */
  readonly hiddenStates: readonly string[];
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
  readonly tokenizer: TokenizerJson;
}
