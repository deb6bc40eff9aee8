import type { Example } from '../../data/dataset.ts';
import { openTrainingTexts, readValidationTexts } from '../../data/files.ts';
import { spreadOver } from '../../data/spread.ts';
import type { Encoded } from '../../engine/encoded.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { stageError } from '../../ground/errors.ts';
import type { Model } from '../../models/model.ts';
import { encodeExamples, noMore } from '../train/examples.ts';
import type { HeldOut } from './drops.ts';

/** Texts that activations are seen on, and others that what came of it is judged by. */
export interface Texts {
  readonly seen: readonly Encoded[];
  readonly judged: readonly Encoded[];
  /** Texts with what is right about them, where a loss of the task's metric is judged: nothing is chosen by them. */
  readonly held?: HeldOut;
}

/** Validation texts, which training stopped by and no test reads. */
const heldOut = async (path: (file: string) => string, model: Model, signal: AbortSignal): Promise<HeldOut> => {
  const dataset = await readValidationTexts(path);
  if (dataset.test.length === 0) throw stageError('budget: maxDrop is judged by validation texts, and there are none');
  const reading = { model, task: taskOf(dataset.task), dataset };
  const { encoded, targets } = await encodeExamples('validation', dataset.test, reading, signal);
  return { dataset, encoded, targets, called: 'validation texts' };
};

/** Every other text is one to see activations on, where something is judged by the others. */
export const splitTexts = (encoded: readonly Encoded[], judges: boolean): Texts => {
  if (!judges || encoded.length === 1) return { seen: encoded, judged: encoded };
  return { seen: encoded.filter((_, i) => i % 2 === 0), judged: encoded.filter((_, i) => i % 2 === 1) };
};

/** Training texts as a model reads them, to see what its activations are like; as many others only where something is judged. */
export const calibrationTexts = async (
  path: (file: string) => string,
  model: Model,
  { count, judges, verifies }: { readonly count: number; readonly judges: boolean; readonly verifies: boolean },
  signal: AbortSignal,
): Promise<Texts> => {
  const texts = await openTrainingTexts(path);
  const examples: readonly Example[] = await texts.pick(spreadOver(texts.labelled, judges ? 2 * count : count));
  if (examples.length === 0) throw stageError('calibration: there are no training texts to see activations by');
  const length = Math.min(texts.maxLength, model.info.maxLength);
  const all = await taskOf(texts.task).encode(model, examples, length, signal);
  const encoded = noMore(all, judges ? 2 * count : count);
  const held = verifies ? { held: await heldOut(path, model, signal) } : {};
  return { ...splitTexts(encoded, judges), ...held };
};
