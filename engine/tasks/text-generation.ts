import { idTargets, targetOf } from '../../data/answer-targets.ts';
import { logSumExp } from '../../data/rows.ts';
import { TO_THE_END, tokenizerOf } from '../../data/tokenize.ts';
import { modelError } from '../../ground/errors.ts';
import { taskReading } from '../../ground/tasks.ts';
import { tokenizerIn } from '../../models/model.ts';
import { crossEntropy } from '../losses/index.ts';
import { wholeTexts } from '../read.ts';
import { stretches } from '../stretches.ts';
import { fillMask } from './fill-mask.ts';
import type { Task } from './task.ts';

const named = taskReading('before');

/** The token behind each of a text, of a whole vocabulary: judged by how surprising the text is. */
export const textGeneration: Task = {
  name: named,
  smoothing: 0,
  // A text of any length is read whole, and cut into stretches afterwards.
  encode: async (model, texts, maxLength, signal) =>
    stretches(model, await wholeTexts(model, texts, TO_THE_END, signal), maxLength),
  ask: async (model, texts) => {
    const encoded = await wholeTexts(model, texts, model.info.maxLength);
    return encoded.map((one) => ({ ...one, places: Int32Array.of(one.length - 1) }));
  },
  targets: (_, encoded) =>
    idTargets(encoded.flatMap(({ places = [], byRole }) => Array.from(places, (place) => byRole.next?.[place] ?? -1))),
  names: (model) => {
    const { size, token } = tokenizerOf(tokenizerIn(model));
    return Array.from({ length: size }, (_, id) => token(id) ?? `${id}`);
  },
  fit: (model) => {
    if (model.info.task === named) return model;
    throw modelError(
      `the model is made for ${model.info.task}, the data for ${named}: start from a decoder, or from random weights (architecture: { uses: llama })`,
    );
  },
  answering: (model) => model,
  targetLosses: (settings) => [crossEntropy(settings)],
  imitation: 'kl',
  judge: (logits, { targets }, answer) => {
    const nats = logSumExp(logits) - (logits[targetOf(targets, answer)] ?? 0);
    return { score: nats, loss: nats };
  },
  tell: fillMask.tell,
};
