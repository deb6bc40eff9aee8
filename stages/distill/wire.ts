import { type DatasetTask, dataTask } from '../../ground/tasks.ts';
import type { Ref, Wiring } from '../stage.ts';
import { needsTeacher } from './entries.ts';
import type { DistillationConfig } from './options.ts';

/** Whether a teacher answers in every step: what it said once about an example that changes would be about another one. */
export const readsAlong = (task: DatasetTask | undefined): boolean =>
  task !== undefined && dataTask(task).varies === true;

/** Inputs of distillation besides the student: the data, and what the teacher says about it, or the teacher if needed. */
export const wireDistillation = (
  config: Partial<Pick<DistillationConfig, 'hidden' | 'losses'>> & {
    readonly teacher: string;
    readonly task?: DatasetTask | undefined;
  },
  wiring: Wiring,
  path: readonly string[] = [],
): Readonly<Record<string, Ref>> => {
  const { teacher, task } = config;
  const model = wiring.model(teacher, [...path, 'teacher']);
  const dataset = wiring.dataset();
  if (readsAlong(task ?? wiring.task)) return { dataset, teacher: model };
  const outputs = wiring.step('label', {}, { model, dataset });
  return { dataset, 'teacher-outputs': outputs, ...(needsTeacher(config) ? { teacher: model } : {}) };
};
