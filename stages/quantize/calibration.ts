import type { Example } from '../../data/dataset.ts';
import { openTrainingTexts } from '../../data/files.ts';
import type { Encoded } from '../../engine/encoded.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { stageError } from '../../ground/errors.ts';
import type { Model } from '../../models/model.ts';

/** Places of `count` texts, spread evenly over all of them. */
const spread = (all: number, count: number): Int32Array => {
  const taken = Math.min(all, count);
  return Int32Array.from({ length: taken }, (_, i) => Math.floor((i * all) / taken));
};

/** Texts that activations are seen on, and others that what came of it is judged by. */
export interface Texts {
  readonly seen: readonly Encoded[];
  readonly judged: readonly Encoded[];
}

/** Training texts as a model reads them, to see what its activations are like; as many others only where something is judged. */
export const calibrationTexts = async (
  path: (file: string) => string,
  model: Model,
  { count, judges }: { readonly count: number; readonly judges: boolean },
  signal: AbortSignal,
): Promise<Texts> => {
  const texts = await openTrainingTexts(path);
  const examples: readonly Example[] = await texts.pick(spread(texts.labelled, judges ? 2 * count : count));
  if (examples.length === 0) throw stageError('calibration: there are no training texts to see activations by');
  const length = Math.min(texts.maxLength, model.info.maxLength);
  const encoded = await taskOf(texts.task).encode(model, examples, length, signal);
  if (!judges || encoded.length === 1) return { seen: encoded, judged: encoded };
  const seen = encoded.filter((_, i) => i % 2 === 0);
  return { seen, judged: encoded.filter((_, i) => i % 2 === 1) };
};
