import type { DatasetTask } from '../../ground/tasks.ts';
import { classOfText } from './class-of-text.ts';
import { classOfWords } from './class-of-words.ts';
import { nothing } from './nothing.ts';
import type { TargetKind } from './target.ts';

export { indexed, type Named, namesIn, type TargetKind } from './target.ts';

const kinds: Readonly<Record<DatasetTask, TargetKind>> = {
  'text-classification': classOfText,
  'token-classification': classOfWords,
  features: nothing,
};

/** What the examples of a task have to be learnt from. */
export const targetOf = (task: DatasetTask): TargetKind => kinds[task];

/** Tasks whose targets a table of the user's can hold. */
export const tableTasks = ['text-classification', 'features'] as const satisfies readonly DatasetTask[];
