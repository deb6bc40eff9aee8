import { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import { value } from '../graph/graph.ts';
import { modelError } from '../ground/errors.ts';
import { modelTask, type TaskName, taskWith } from '../ground/tasks.ts';
import { dropout, type Emission, linear, zeros } from './blocks.ts';
import { featuresName } from './emit-encoder.ts';
import type { Model } from './model.ts';
import {
  answering,
  answerName,
  expectInput,
  featuresPort,
  readsTexts,
  type Signature,
  textPort,
  tokenPort,
} from './signature.ts';

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

/** Mean of x (batch, sequence, hidden) over all positions: (batch, hidden). */
const meanOfAll = (builder: GraphBuilder, x: Value): Value =>
  builder.op('ReduceMean', [x, builder.ints([1])], { keepdims: 0 });

/** Positions x (batch, sequence, hidden) to one vector an example: (batch, hidden). */
export const pool = (builder: GraphBuilder, x: Value, mask: Value | undefined, pooling: Pooling): Value => {
  if (pooling === 'first') return firstToken(builder, x);
  return mask === undefined ? meanOfAll(builder, x) : meanPool(builder, x, mask);
};

/**
 * Where answers stand: at the whole of each example, which is made one vector of its positions (those that a mask keeps, where
 * there is one), or at each position.
 */
type Stand =
  | { readonly at: 'texts'; readonly mask: Value | undefined; readonly pooling: Pooling }
  | { readonly at: 'tokens' };

/** Dropout and one linear called `classifier` over features (batch, sequence, hidden): adds `logits` of so many columns. */
export const emitClassifier = (
  emission: Emission,
  features: Value,
  stand: Stand,
  options: { readonly columns: number; readonly dropout: number },
): Value => {
  const { builder } = emission;
  const width = builder.type(features).shape?.at(-1);
  if (typeof width !== 'number') throw modelError(`the width of '${features}' is not known, so no head fits it`);
  return builder.within('classifier', () => {
    const read = stand.at === 'tokens' ? features : pool(builder, features, stand.mask, stand.pooling);
    const dropped = dropout(emission, read, options.dropout);
    return linear(emission, 'classifier', dropped, [width, options.columns], { output: 'logits' });
  });
};

const sameLabels = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((label, i) => label === b[i]);

const named = (labels: readonly string[]): string =>
  `${labels.length} (${labels.slice(0, 3).join(', ')}${labels.length > 3 ? ' ...' : ''})`;

/** The encoder of a model that predicts words, without what predicts them; other models as they are. */
export const withoutWordHead = (model: Model): Model => {
  const { graph, info } = model;
  if (modelTask(info.task).about !== 'token') return model;
  const signature = answering(info.signature, featuresPort(value(featuresName)));
  return {
    ...model,
    graph: GraphBuilder.from(graph).freeze([value(featuresName)]),
    info: { ...info, task: taskWith('text', 'vector'), signature },
  };
};

/** What a head is for. */
export interface Head {
  readonly task: TaskName;
  readonly at: 'texts' | 'tokens';
  readonly labels: readonly string[];
  /** Numbers of an answer; as many as there are labels where it is not said. */
  readonly columns?: number;
  readonly pooling?: Pooling;
}

const dataOf = ({ task, at, labels }: Pick<Head, 'task' | 'at' | 'labels'>): string =>
  labels.length === 0 ? `is for ${task}` : `has ${named(labels)} classes${at === 'texts' ? '' : ' of words'}`;

/** Only a model without a head can be given one. */
export const expectFeatures = ({ info }: Model, head: Pick<Head, 'task' | 'at' | 'labels'>): void => {
  if (modelTask(info.task).answer === 'vector') return;
  const made =
    info.task === head.task
      ? `the model already tells ${named(info.labels)} classes apart`
      : `the model is made for ${info.task}`;
  throw modelError(`${made}, the data ${dataOf(head)}; start from a model without a head`);
};

const standOf = ({ at, pooling = 'mean' }: Head, signature: Signature): Stand =>
  at === 'tokens' ? { at } : { at, mask: readsTexts(signature) ? expectInput(signature, 'mask') : undefined, pooling };

/**
 * Puts a head on a features or fill-mask model: mask-aware mean pooling where texts are answered about, dropout, one linear
 * called `classifier`, which starts at zero: random logits would first bend pretrained features (Kumar et al. 2022, arXiv
 * 2202.10054), and measurably cost accuracy here. A model that has the same head already stays as it is.
 */
export const withHead = (given: Model, head: Head): Model => {
  const model = withoutWordHead(given);
  const { info } = model;
  const { task, at, labels, columns = labels.length } = head;
  if (info.task === task && sameLabels(info.labels, labels)) return model;
  expectFeatures(model, head);
  const builder = GraphBuilder.from(model.graph);
  const emission: Emission = { builder, parameters: zeros, prefix: '', epsilon: 0 };
  const features = answerName(info.signature);
  const logits = emitClassifier(emission, features, standOf(head, info.signature), {
    ...{ columns, dropout: CLASSIFIER_DROPOUT },
  });
  const signature = answering(info.signature, at === 'tokens' ? tokenPort(logits) : textPort(logits));
  return { ...model, graph: builder.freeze([logits]), info: { ...info, task, labels: [...labels], signature } };
};

/** A class of each text. */
export const withClassificationHead = (model: Model, labels: readonly string[]): Model =>
  withHead(model, { task: taskWith('text', 'choice'), at: 'texts', labels });

/** A class of each token; a task may judge them by what they mark together. */
export const withTokenHead = (model: Model, labels: readonly string[], task = taskWith('word', 'choice')): Model =>
  withHead(model, { task, at: 'tokens', labels });
