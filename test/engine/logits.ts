import type { EncodedText, TextInput } from '../../data/tokenize.ts';
import { encodedText } from '../../engine/encoded.ts';
import { type Predicted, type PredictRequest, predict } from '../../engine/predict.ts';
import { taskOf } from '../../engine/tasks/index.ts';

interface Asked extends Omit<PredictRequest, 'examples'> {
  readonly texts: readonly TextInput[] | readonly EncodedText[];
  readonly maxLength: number;
}

const isEncoded = (texts: Asked['texts']): texts is readonly EncodedText[] =>
  texts.every((text) => typeof text !== 'string' && 'ids' in text);

/** What a model says about texts, or about tokens. */
export const predictTexts = async ({ texts, maxLength, ...request }: Asked): Promise<Predicted> => {
  const { model } = request;
  const examples = isEncoded(texts)
    ? texts.map(encodedText)
    : await taskOf(model.info.task).encode(model, texts, maxLength);
  return predict({ ...request, examples });
};

/** All its scores, a row an answer. */
export const predictLogits = async (asked: Asked): Promise<Float32Array> => (await predictTexts(asked)).rows.data;
