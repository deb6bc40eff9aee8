import { type DataConfig, dataSchema, sources } from '../../data/datasets/index.ts';
import { isUserError, stageError } from '../../ground/errors.ts';
import { defineStage } from '../stage.ts';

/** A mistake in the user's data is theirs to mend: no stack trace. */
export const asStageError = (error: unknown): unknown =>
  isUserError(error, 'data') ? stageError(error.message, { cause: error }) : error;

const filesOf = async (config: DataConfig, base: string): Promise<readonly string[]> => {
  try {
    return sources(config, base);
  } catch (error) {
    throw asStageError(error);
  }
};

/** The `data:` section as a step: reads, checks and splits the texts once for all stages. */
export const dataset = defineStage({
  uses: 'dataset',
  version: 4,
  summary: 'Reads the texts and splits them into training, validation and test.',
  config: dataSchema,
  internal: true,
  makes: 'dataset',
  draws: false,
  environment: 'none',
  from: [],
  wire: () => ({}),
  sources: filesOf,
  run: async (...given) => (await import('./work.ts')).run(...given),
});
