import { GraphBuilder } from '../graph/builder.ts';
import { modelError } from '../ground/errors.ts';
import type { TaskName } from '../ground/tasks.ts';
import { tokenTable } from './anatomy/parts.ts';
import { emitMasked, predictionsHead } from './architectures/heads.ts';
import type { Emission, ParameterRole, Parameters } from './blocks.ts';
import { expectFeatures } from './head.ts';
import { type Initializer, initialize } from './initialize.ts';
import type { Model } from './model.ts';
import { answering, answerName, tokenPort } from './signature.ts';

/** The head is drawn alike whatever the seed of a run: the encoder below it is the same, too. */
const SEED = 0;
const EPSILON = 1e-12;

/** BERT's: norms leave what they read as it is, biases add nothing. */
const initializerFor = (role: ParameterRole | undefined): Initializer => {
  if (role === undefined) return { kind: 'zeros' };
  return role === 'scale' ? { kind: 'ones' } : { kind: 'he' };
};

const drawn: Parameters = (name, dims, role) => initialize(SEED, name, dims, initializerFor(role));

/**
 * BERT's head of masked language models on a features model: a dense layer to the width of the token embeddings, Gelu, a norm,
 * and the product with the embeddings themselves, with a bias a token. A model that has such a head stays as it is.
 */
export const withMaskedHead = (model: Model, task: TaskName): Model => {
  const { graph, info } = model;
  if (info.task === task) return model;
  expectFeatures(model, { task, at: 'tokens', labels: [] });
  const table = tokenTable(graph);
  const [vocabulary, width] = (table === undefined ? undefined : graph.weights.get(table)?.dims) ?? [];
  if (table === undefined || vocabulary === undefined || width === undefined) {
    throw modelError('the model has no table that token ids look up, so its tokens have no scores');
  }
  const builder = GraphBuilder.from(graph);
  const emission: Emission = { builder, parameters: drawn, prefix: '', epsilon: EPSILON };
  const features = answerName(info.signature);
  const how = predictionsHead({ vocab_size: vocabulary, hidden_act: 'gelu', tie_word_embeddings: true }, width);
  const logits = emitMasked(emission, { features, table }, how);
  const signature = answering(info.signature, tokenPort(logits));
  return { ...model, graph: builder.freeze([logits]), info: { ...info, task, labels: [], signature } };
};
