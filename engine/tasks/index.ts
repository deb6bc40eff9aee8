import { modelError } from '../../ground/errors.ts';
import type { TaskName } from '../../ground/tasks.ts';
import { textClassification, tokenClassification } from './classification.ts';
import { features } from './features.ts';
import { multiLabel } from './multi-label.ts';
import { score } from './score.ts';
import type { Task } from './task.ts';

export type { Task } from './task.ts';

/** Every task that data can be for. */
const tasks: readonly Task[] = [textClassification, tokenClassification, multiLabel, features, score];

/** The task of a model, where data can be for it. */
export const findTask = (name: TaskName): Task | undefined => tasks.find((one) => one.name === name);

/** The task of data, or of a model that answers. */
export const taskOf = (name: TaskName): Task => {
  const task = findTask(name);
  if (task === undefined) {
    throw modelError(
      `nothing is made of models for '${name}' yet; there is ${tasks.map((one) => one.name).join(', ')}`,
    );
  }
  return task;
};
