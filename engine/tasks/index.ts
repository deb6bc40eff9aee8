import type { TaskName } from '../../models/model.ts';
import { textClassification, tokenClassification } from './classification.ts';
import { features } from './features.ts';
import type { Task } from './task.ts';

export type { Task } from './task.ts';

/** Every task that data can be for. */
const tasks: readonly Task[] = [textClassification, tokenClassification, features];

/** The task of a model or of data. Models of another kind are read like those of features: texts go in as they are. */
export const taskOf = (name: TaskName): Task => tasks.find((task) => task.name === name) ?? features;
