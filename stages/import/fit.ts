import type { Dataset, Example } from '../../data/dataset.ts';
import type { DatasetFacts } from '../../data/files.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { ImportError } from '../../models/importers/importer.ts';
import { alignLabels, labelProblem } from '../../models/labels.ts';
import type { Model } from '../../models/model.ts';

/** The model with its classes in the order of the data; an error where it was made for other data. */
export const fitLabels = (model: Model, { task, classes }: DatasetFacts): Model => {
  const { info } = model;
  if (info.labels.length === 0) return model;
  if (info.task !== task) {
    throw new ImportError(
      `the checkpoint is made for ${info.task}, the data for ${task}: 'head: new' takes its encoder alone`,
    );
  }
  const problem = labelProblem(info.labels, classes);
  if (problem !== undefined) throw new ImportError(problem);
  return alignLabels(model, classes);
};

/** Texts that lose their end because the model has too few positions. */
export interface Cut {
  readonly texts: number;
  readonly of: number;
}

/** A character is four bytes at most, and no token is less than a byte: shorter texts need no look. */
const TOKENS_A_CHARACTER = 4;
/** Special tokens around a text or a pair, at most. */
const FRAME = 4;

/** How many texts are longer than the model reads. */
export const countCut = ({ info, tokenizer }: Model, dataset: Dataset): Cut => {
  const encoder = tokenizerOf(tokenizer);
  const texts: readonly Example[] = [...dataset.train, ...dataset.unlabelled, ...dataset.validation, ...dataset.test];
  const isCut = ({ text, pair = '' }: Example): boolean =>
    (text.length + pair.length) * TOKENS_A_CHARACTER > info.maxLength - FRAME &&
    encoder.encode({ text, pair }, info.maxLength).cut !== undefined;
  return { texts: texts.filter(isCut).length, of: texts.length };
};

/** The one line that says how much is cut. */
export const cutText = ({ texts, of }: Cut, model: number, data: number): string =>
  `the model reads at most ${model} tokens, data.maxLength is ${data}: ${texts} of ${of} texts ` +
  `(${((100 * texts) / of).toFixed(1)} %) are longer and are cut`;
