import type { Dataset } from '../../../data/dataset.ts';
import type { Expected } from '../../expected.ts';

interface Shape {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly ffn: number;
  readonly vocabulary: number;
}

/** What is known of a model of texts before anything is drawn. */
export const expectedOfTexts =
  (modelType: string) =>
  ({ hidden, layers, heads, ffn, vocabulary }: Shape, maxLength: number | undefined): Expected => ({
    modelType,
    ...(maxLength === undefined ? {} : { maxLength }),
    sizes: { hidden, embedding: hidden, layers, heads, ffn, vocabulary },
  });

/** Every text that a tokenizer is trained on. */
export const trainingTexts = ({ train, unlabelled }: Pick<Dataset, 'train' | 'unlabelled'>): readonly string[] =>
  [...train, ...unlabelled].flatMap(({ text, pair = '' }) => [text, pair]);
