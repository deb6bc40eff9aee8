import type { TaskName } from '../../ground/tasks.ts';
import { namedEntities, textClassification, tokenClassification } from './classification.ts';
import { features } from './features.ts';
import { fillMask } from './fill-mask.ts';
import { imageClassification } from './image-classification.ts';
import { multiLabel } from './multi-label.ts';
import { score } from './score.ts';
import type { Task } from './task.ts';
import { textGeneration } from './text-generation.ts';
import { text2text } from './text2text.ts';

export type { Task } from './task.ts';

/** Every task that data can be for. */
const tasks: readonly Task[] = [
  ...[textClassification, tokenClassification, namedEntities, multiLabel, score],
  ...[features, fillMask, textGeneration, text2text, imageClassification],
];

/** The task of data, or of a model. */
export const taskOf = (name: TaskName): Task => {
  const task = tasks.find((one) => one.name === name);
  if (task === undefined) throw new Error(`no task is called "${name}"`);
  return task;
};
