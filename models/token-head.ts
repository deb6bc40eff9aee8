import { GraphBuilder } from '../graph/builder.ts';
import { value } from '../graph/graph.ts';
import { tensorOf } from '../graph/tensor.ts';
import { modelError } from '../ground/errors.ts';
import { modelTask, taskWith } from '../ground/tasks.ts';
import { withoutWordHead } from './head.ts';
import type { Model } from './model.ts';

/** Ratio of the Dropout node before the classifier. */
const CLASSIFIER_DROPOUT = 0.1;

const named = (labels: readonly string[]): string =>
  `${labels.length} (${labels.slice(0, 3).join(', ')}${labels.length > 3 ? ' ...' : ''})`;

/** What a model with a head for classes of words is made for. */
const tagging = taskWith('word', 'choice');

/** A model that was made for something else cannot become a tagger of these classes. */
const expectFeatures = ({ info }: Model, labels: readonly string[]): void => {
  if (modelTask(info.task).answer === 'vector') return;
  const found =
    info.task === tagging
      ? `the model already tags words with ${named(info.labels)} classes`
      : `the model is made for ${info.task}`;
  throw modelError(`${found}, the data has ${named(labels)} classes of words; start from a model without a head`);
};

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((label, i) => label === b[i]);

/**
 * Puts a head on a features or fill-mask model that gives every token a class: dropout and one linear called `classifier`, which starts
 * at zero like that of texts. A model that already tags with the same classes stays as it is.
 */
export const withTokenHead = (given: Model, labels: readonly string[]): Model => {
  const model = withoutWordHead(given);
  const { info } = model;
  if (info.task === tagging && same(info.labels, labels)) return model;
  expectFeatures(model, labels);
  const builder = GraphBuilder.from(model.graph);
  const features = value(info.output);
  const width = builder.type(features).shape?.at(-1);
  if (typeof width !== 'number') throw modelError(`the width of '${features}' is not known, so no head fits it`);
  const zeros = (name: string, dims: readonly number[]) =>
    builder.weight(name, tensorOf('float32', dims, new Float32Array(dims.reduce((a, b) => a * b, 1))));
  const logits = builder.within('classifier', () => {
    const dropped = builder.op('Dropout', [features, builder.scalar('float32', CLASSIFIER_DROPOUT)]);
    const product = builder.op('MatMul', [dropped, zeros('classifier.weight', [width, labels.length])]);
    return builder.op('Add', [product, zeros('classifier.bias', [labels.length])], {}, 'logits');
  }); // (batch, sequence, labels)
  return {
    ...model,
    graph: builder.freeze([logits]),
    info: { ...info, task: tagging, labels: [...labels], output: logits },
  };
};
