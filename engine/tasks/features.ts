import { cosineOf } from '../../data/cosine.ts';
import { modelError } from '../../ground/errors.ts';
import { withoutWordHead } from '../../models/head.ts';
import { withSentence } from '../../models/sentence.ts';
import { wholeTexts } from '../read.ts';
import type { Task } from './task.ts';

/** One vector a text, which a student learns from its teacher's: nothing else says what it should be. */
export const features: Task = {
  name: 'features',
  encode: wholeTexts,
  fit: (given) => {
    const model = withoutWordHead(given);
    if (model.info.task === features.name) return model;
    throw modelError(
      `the model is made for ${model.info.task}, the data for features: start from a model that gives features`,
    );
  },
  answering: withSentence,
  targetLosses: () => [],
  imitation: 'cosine',
  judge: (vector, { teacher }, answer) => {
    if (teacher === undefined) throw new Error('vectors are judged by those of a teacher');
    const score = cosineOf(vector, 0, teacher.data, answer, vector.length);
    return { score, loss: 1 - score };
  },
  tell: (vector = new Float32Array()) => ({ vector: [...vector] }),
};
