import { z } from 'zod';
import { type DatasetTask, modelTask, type TaskName } from '../../ground/tasks.ts';
import { defineStage } from '../stage.ts';
import { allTraining } from '../train/effort.ts';

const config = z.strictObject({
  /** An INT8 copy labels where it agrees with the teacher; the teacher where this is left out. */
  with: z.literal('int8').exactOptional(),
  /** Of each answer over a vocabulary so many of the largest scores, divided by a temperature; the rest is what they leave over. */
  keep: z.int().min(1).exactOptional(),
  temperature: z.number().positive().exactOptional(),
  /** Whether it speaks of validation texts, too: teachers are compared by them. */
  validation: z.literal(true).exactOptional(),
});

export type Config = z.infer<typeof config>;

/** Why a model cannot teach; undefined where it can. */
export const teacherProblem = (made: TaskName, task: DatasetTask): string | undefined => {
  if (made === task) return undefined;
  if (modelTask(made).answer === 'vector') return 'the teacher gives features, not class scores: train it first';
  return `the teacher is made for ${made}, the data for ${task}: train it on this data first`;
};

/** What it leaves for the report. */
const reported = z.looseObject({
  texts: z.number(),
  words: z.number().exactOptional(),
  /** How an INT8 copy did beside the teacher, where it was tried. */
  int8: z
    .object({
      agreement: z.number(),
      texts: z.number(),
      taken: z.boolean(),
      seconds: z.number(),
      secondsFloat: z.number(),
    })
    .exactOptional(),
  notes: z.array(z.string()).exactOptional(),
});

export type Reported = z.infer<typeof reported>;

/** What a teacher says about every training text, labelled or not: computed once, without dropout, kept by text id. */
export const label = defineStage({
  uses: 'label',
  version: 4,
  summary: 'What a teacher says about every training text.',
  config,
  place: 'asked',
  metrics: reported,
  makes: 'teacher-outputs',
  draws: false,
  choosesEngine: true,
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  foresee: (_, { models: { model }, data }) => {
    const problem = model?.task === undefined || data === undefined ? undefined : teacherProblem(model.task, data.task);
    return { model, problems: problem === undefined ? [] : [{ path: [], message: problem }] };
  },
  effort: (_, texts) => ({ asked: allTraining(texts) }),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
