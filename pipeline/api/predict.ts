import { cutShare } from '../../data/lengths.ts';
import type { Encoded } from '../../engine/encoded.ts';
import type { Progress } from '../../ground/progress.ts';
import type { Model } from '../../models/model.ts';
import { defaultThreads } from '../plan/threads.ts';
import { answered, predictorOf } from './ask.ts';
import { startJob } from './job.ts';
import { openModel } from './open.ts';
import type { Given } from './types/answers.ts';
import type { AskOptions, LoadedModel, LoadOptions, Predictions, PredictOptions } from './types/models.ts';

const notesOn = async ({ info, tokenizer }: Model, texts: readonly Encoded[]): Promise<readonly string[]> => {
  const { unknownShare } = await import('../../data/tokenizers/unknown.ts');
  const { tokensOf } = await import('../../engine/encoded.ts');
  const cut = cutShare(texts, 'texts');
  const unknown = tokenizer === undefined ? 0 : unknownShare(tokenizer, texts.map(tokensOf));
  return [
    ...(cut === undefined
      ? []
      : [`${cut} are longer than the ${info.maxLength} tokens that the model reads and are cut`]),
    ...(unknown === 0
      ? []
      : [
          `${(100 * unknown).toFixed(1)} % of the tokens of these texts are not in the model's vocabulary: it reads all of them alike`,
        ]),
  ];
};

/** As many as are told of a mask where nobody says. */
const FEWEST = 1;

/** Loads the model of a folder or of a file in one. */
export const loadFrom = async (path: string, options: LoadOptions): Promise<LoadedModel> => {
  const opened = await openModel(path, options);
  const { model } = opened;
  const { info } = model;
  const loaded = await predictorOf(opened, options.threads ?? defaultThreads());
  const ask = async (
    texts: readonly (string | Given)[],
    { top = FEWEST, signal }: AskOptions,
    emit: (progress: Progress) => void,
  ): Promise<Predictions> => {
    const given = texts.map((one): Given => (typeof one === 'string' ? { text: one } : one));
    if (given.length === 0) return { answers: [], notes: [] };
    const { answers, examples } = await answered({ opened, ...loaded }, given, {
      ...{ top, signal },
      onProgress: (done, total) => emit({ done, total, unit: 'texts' }),
    });
    return { answers, notes: await notesOn(model, examples) };
  };
  return {
    ...{ task: info.task, labels: info.labels, maxLength: info.maxLength },
    predict: (texts, asking = {}) => startJob((emit) => ask(texts, asking, emit)),
    release: () => loaded.predictor.release(),
  };
};

/** Loads a model, asks it once and releases it. */
export const predictTexts = async (
  path: string,
  texts: readonly (string | Given)[],
  options: PredictOptions,
  emit: (progress: Progress) => void,
): Promise<Predictions> => {
  const model = await loadFrom(path, options);
  try {
    const job = model.predict(texts, options);
    for await (const progress of job) emit(progress);
    return await job;
  } finally {
    await model.release();
  }
};
