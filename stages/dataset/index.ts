import { z } from 'zod';
import { type DataConfig, dataSchema, sources } from '../../data/datasets/index.ts';
import { isUserError, stageError } from '../../ground/errors.ts';
import { datasetMetrics } from '../../ground/reported/data.ts';
import { defineStage } from '../stage.ts';

/** A mistake in the user's data is theirs to mend: no stack trace. */
export const asStageError = (error: unknown): unknown =>
  isUserError(error, 'data') ? stageError(error.message, { cause: error }) : error;

const filesOf = async (config: DataConfig, base: string): Promise<readonly string[]> => {
  try {
    return await sources(config, base);
  } catch (error) {
    throw asStageError(error);
  }
};

/** What it leaves for the report. */
const reported = datasetMetrics.extend({
  maxLength: z.number(),
  averageWords: z.number(),
  duplicates: z.number(),
  contradictions: z.number(),
});

export type Reported = z.infer<typeof reported>;

/** The `data:` section as a step: reads, checks and splits the texts once for all stages. */
export const dataset = defineStage({
  uses: 'dataset',
  version: 5,
  summary: 'Reads the texts and splits them into training, validation and test.',
  config: dataSchema,
  place: 'data',
  automatic: { options: ({ data = {} }) => data },
  metrics: reported,
  makes: 'dataset',
  draws: false,
  environment: 'none',
  from: [],
  wire: () => ({}),
  sources: filesOf,
  run: async (...given) => (await import('./work.ts')).run(...given),
});
