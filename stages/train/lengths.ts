import { taskOf } from '../../engine/tasks/index.ts';
import type { Model } from '../../models/model.ts';
import type { SampledTexts } from '../expected.ts';
import { type ArchitectureConfig, boundShape } from './architectures/index.ts';
import { longest } from './examples.ts';

/** Tokens of each text as a model reads it. */
export const lengthsIn = async (model: Model, { dataset }: SampledTexts): Promise<readonly number[]> => {
  const encoded = await taskOf(dataset.task).encode(model, dataset.train, longest(dataset, model));
  return encoded.map(({ length }) => length);
};

/** The same with a tokenizer that is trained on these texts alone: on all it would have a few more words. */
export const lengthsOfNew = async (shape: ArchitectureConfig, texts: SampledTexts): Promise<readonly number[]> => {
  const small = boundShape(shape).smallest();
  return await lengthsIn(await boundShape(small).make(texts.dataset, 0), texts);
};
