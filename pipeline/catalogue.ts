import type { z } from 'zod';
import type { Dataset } from '../data/dataset.ts';
import type { DatasetTask } from '../ground/tasks.ts';
import type { DataFacts } from '../stages/expected.ts';
import type { AnyStage } from '../stages/stage.ts';

/** A problem with a configuration, by the path inside of it. */
interface ConfigProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

interface DataLook extends DataFacts {
  readonly remarks: readonly string[];
}

/** The kinds of stages and data that a pipeline can name. */
export interface Catalogue {
  readonly stages: readonly AnyStage[];
  /** The `data` section. */
  readonly data: z.ZodType;
  /** What only a look at the files can tell: a missing file, a missing column. */
  checkData(config: unknown, base: string): Promise<readonly ConfigProblem[]>;
  /** Classes of the data, and what is odd about it, as far as a quick look shows them. */
  lookAtData?(config: unknown, base: string): Promise<DataLook>;
  /** What the texts of the `data` section are for. */
  taskOfData?(config: unknown): DatasetTask;
  /** All texts of the `data` section. */
  readData?(config: unknown, base: string): Promise<Dataset>;
  /** Module that exports `stages`, for processes that run one step each. */
  readonly module: string;
  /** Path of the script of those processes, where it is not the one beside the running code. */
  readonly entry?: string;
}

export const stageOf = (catalogue: Pick<Catalogue, 'stages'>, uses: string): AnyStage | undefined =>
  catalogue.stages.find((stage) => stage.uses === uses);
