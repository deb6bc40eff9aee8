import { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import { value } from '../graph/graph.ts';
import { modelError } from '../ground/errors.ts';
import { modelTask, taskWith } from '../ground/tasks.ts';
import { dropout, type Emission, linear, zeros } from './blocks.ts';
import { featuresName } from './emit-encoder.ts';
import type { Model } from './model.ts';

export type Pooling = 'mean' | 'first';

/** Ratio of the Dropout node before the classifier. */
const CLASSIFIER_DROPOUT = 0.1;

/** Mean of x (batch, sequence, hidden) over the tokens that the mask keeps: (batch, hidden). A text of none gives 0. */
const meanPool = (builder: GraphBuilder, x: Value, mask: Value): Value => {
  const kept = builder.op('Cast', [builder.op('Unsqueeze', [mask, builder.ints([2])])], { to: 1 });
  const axis = builder.ints([1]);
  const sum = builder.op('ReduceSum', [builder.op('Mul', [x, kept]), axis], { keepdims: 0 });
  const count = builder.op('ReduceSum', [kept, axis], { keepdims: 0 }); // (batch, 1)
  return builder.op('Div', [sum, builder.op('Max', [count, builder.scalar('float32', 1)])]);
};

/** Of x (batch, sequence, hidden): (batch, hidden). */
export const firstToken = (builder: GraphBuilder, x: Value): Value =>
  builder.op('Gather', [x, builder.scalar('int64', 0)], { axis: 1 });

/** Tokens x (batch, sequence, hidden) to one vector a text: (batch, hidden). */
export const pool = (builder: GraphBuilder, x: Value, mask: Value, pooling: Pooling): Value =>
  pooling === 'mean' ? meanPool(builder, x, mask) : firstToken(builder, x);

/** Pools features (batch, sequence, hidden) and classifies them: adds `logits` (batch, labels). */
export const emitClassifier = (
  emission: Emission,
  features: Value,
  mask: Value,
  options: { readonly pooling: Pooling; readonly labels: number; readonly dropout: number },
): Value => {
  const { builder } = emission;
  const width = builder.type(features).shape?.at(-1);
  if (typeof width !== 'number') throw modelError(`the width of '${features}' is not known, so no head fits it`);
  return builder.within('classifier', () => {
    const dropped = dropout(emission, pool(builder, features, mask, options.pooling), options.dropout);
    return linear(emission, 'classifier', dropped, [width, options.labels], { output: 'logits' });
  });
};

const sameLabels = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((label, i) => label === b[i]);

/** The encoder of a model that predicts words, without what predicts them; other models as they are. */
export const withoutWordHead = (model: Model): Model => {
  if (modelTask(model.info.task).about !== 'token') return model;
  const graph = GraphBuilder.from(model.graph).freeze([value(featuresName)]);
  return { ...model, graph, info: { ...model.info, task: taskWith('text', 'vector'), output: featuresName } };
};

/** What a model with a head for classes of texts is made for. */
const classifying = taskWith('text', 'choice');

/**
 * Puts a classification head on a features or fill-mask model: mask-aware mean pooling, dropout, one linear called `classifier`,
 * which starts at zero: random logits would first bend pretrained features (Kumar et al. 2022, arXiv 2202.10054), and
 * measurably cost accuracy here. A model that already classifies into the same labels stays as it is.
 */
export const withClassificationHead = (given: Model, labels: readonly string[], pooling: Pooling = 'mean'): Model => {
  const model = withoutWordHead(given);
  const { info } = model;
  if (info.task === classifying) {
    if (sameLabels(info.labels, labels)) return model;
    throw modelError(
      `the model already classifies into ${info.labels.length} labels (${info.labels.slice(0, 3).join(', ')} ...), ` +
        `the data has ${labels.length} (${labels.slice(0, 3).join(', ')} ...); start from a model without a head`,
    );
  }
  const builder = GraphBuilder.from(model.graph);
  const emission: Emission = { builder, parameters: zeros, prefix: '', epsilon: 0 };
  const logits = emitClassifier(emission, value(info.output), value(info.inputs.mask), {
    pooling,
    labels: labels.length,
    dropout: CLASSIFIER_DROPOUT,
  });
  return {
    ...model,
    graph: builder.freeze([logits]),
    info: { ...info, task: classifying, labels: [...labels], output: logits },
  };
};
