import { z } from 'zod';
import { modelTask, type TaskName } from '../../ground/tasks.ts';
import { defineStage } from '../stage.ts';
import { allTraining } from '../train/effort.ts';

const config = z.strictObject({
  /** How many other words of each are kept. */
  top: z.int().min(1),
  /** Whether texts without labels are left out. */
  labelled: z.literal(true).exactOptional(),
});

export type Config = z.infer<typeof config>;

const reported = z.looseObject({ texts: z.number(), words: z.number() });

export type Reported = z.infer<typeof reported>;

/** A word in seven is hidden at a time, as in the training of such models, until each was hidden once. */
export const ROUNDS = 7;

/** Why a model cannot guess words; undefined where it can. */
export const guesserProblem = (made: TaskName): string | undefined =>
  modelTask(made).answer === 'token'
    ? undefined
    : `the model is made for ${made}, and other words are guessed by a masked language model: name a stage with one`;

/** What a masked language model would write in place of each word of every training text: computed once. */
export const reword = defineStage({
  uses: 'reword',
  version: 1,
  summary: 'What a masked language model would write in place of the words of training texts.',
  config,
  place: 'asked',
  metrics: reported,
  makes: 'rewordings',
  draws: false,
  choosesEngine: true,
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  foresee: (_, { models: { model } }) => {
    const problem = model?.task === undefined ? undefined : guesserProblem(model.task);
    return { model, problems: problem === undefined ? [] : [{ path: [], message: problem }] };
  },
  effort: ({ labelled }, texts) => ({ asked: ROUNDS * (labelled === true ? texts.train : allTraining(texts)) }),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
