import { modelTask, type TaskName } from '../../ground/tasks.ts';
import { textClassification, tokenClassification } from './classification.ts';
import { features } from './features.ts';
import type { Task } from './task.ts';

export type { Task } from './task.ts';

/** Every task that data can be for. */
const tasks: readonly Task[] = [textClassification, tokenClassification, features];

/**
 * The task of a model or of data. Of models that no data is for nobody asks more than to read texts as they are, which is
 * what those of features do; a name that is no task's is a bug.
 */
export const taskOf = (name: TaskName): Task => {
  const task = tasks.find((candidate) => candidate.name === name);
  if (task !== undefined) return task;
  if (modelTask(name).about === 'token') return features;
  throw new Error(`the engine has no task "${name}"`);
};
