import { type DatasetTask, type DataTask, datasetTasks, dataTask, readsTexts } from '../../ground/tasks.ts';
import { classOfText } from './class-of-text.ts';
import { classOfWords } from './class-of-words.ts';
import { classesOfText } from './classes-of-text.ts';
import { entitiesOfWords } from './entities-of-words.ts';
import { nothing } from './nothing.ts';
import { numberOfText } from './number-of-text.ts';
import type { TargetKind } from './target.ts';

export { schemes } from './iob.ts';
export { indexed, type Named, namesIn, type TargetKind, type TargetOptions } from './target.ts';

const kinds: Readonly<Record<DataTask['truth'], TargetKind>> = {
  label: classOfText,
  labels: classesOfText,
  tags: classOfWords,
  entities: entitiesOfWords,
  number: numberOfText,
  text: nothing,
  pair: nothing,
  teacher: nothing,
};

/** What the examples of a task have to be learnt from. */
export const targetKindOf = (task: DatasetTask): TargetKind => kinds[dataTask(task).truth];

/** Tasks whose targets a table of the user's can hold. */
export const tableTasks = datasetTasks.filter((task) => readsTexts(task) && targetKindOf(task).table !== undefined);

/** Those of them whose targets are about words. */
export const wordTasks = tableTasks.filter((task) => targetKindOf(task).table?.words === true);
