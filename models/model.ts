import type { TokenizerJson } from '../data/tokenizer.ts';
import type { Graph } from '../graph/graph.ts';

type TaskName = 'features' | 'text-classification';

/**
 * Everything besides the graph that makes a model usable. Stored as model.json beside model.onnx and tokenizer.json.
 */
export interface ModelInfo {
  readonly schema: 'decant.model/1';
  readonly task: TaskName;
  /** Class names by class index; empty for features. */
  readonly labels: readonly string[];
  /** Graph inputs by role: both int64 (batch, sequence). */
  readonly inputs: { readonly ids: string; readonly mask: string };
  /**
   * Graph outputs by role: `features` (batch, sequence, hidden) in a features model, `logits` (batch, classes) in a
   * classifier.
   */
  readonly output: string;
  /** Longest sequence that the positions allow, in tokens, special tokens included. */
  readonly maxLength: number;
  /** Token ids with a role. `padding` fills batches (masked), `unknown` replaces dropped tokens. */
  readonly tokens: { readonly padding: number; readonly unknown: number };
  /** Values of the unfused graph that hold the residual stream after each layer (batch, sequence, hidden), in order. */
  readonly hiddenStates: readonly string[];
  /** Hugging Face model_type under which transformers.js passes exactly this graph's inputs, e.g. "distilbert". */
  readonly modelType: string;
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
