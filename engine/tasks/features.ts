import { cosineOf } from '../../data/cosine.ts';
import { modelError } from '../../ground/errors.ts';
import { withoutWordHead } from '../../models/head.ts';
import { emitSentence } from '../../models/sentence.ts';
import { cosineDistance } from '../losses/index.ts';
import type { Task } from './task.ts';

/** One vector a text, which a student learns from its teacher's: nothing else says what it should be. */
export const features: Task = {
  name: 'features',
  unit: 'texts',
  encode: (encoder, texts, maxLength, signal) => encoder.encodeBatch(texts, maxLength, signal),
  labelsOf: () => [-1],
  fit: (given) => {
    const model = withoutWordHead(given);
    if (model.info.task === features.name) return model;
    throw modelError(
      `the model is made for ${model.info.task}, the data for features: start from a model that gives features`,
    );
  },
  emitAnswers: emitSentence,
  labelLosses: [],
  imitation: () => cosineDistance,
  judge: (vector, { teacher }, answer) => {
    if (teacher === undefined) throw new Error('vectors are judged by those of a teacher');
    const score = cosineOf(vector, 0, teacher.data, answer, vector.length);
    return { score, loss: 1 - score };
  },
};
