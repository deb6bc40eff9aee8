import { type DatasetTask, dataTask } from '../../ground/tasks.ts';
import type { Ref, Wiring } from '../stage.ts';
import { wireAugmentations } from '../train/augment.ts';
import { wireLooked } from './looked.ts';
import type { DistillationConfig } from './options.ts';
import { expectSelectable, saidFor } from './select/option.ts';
import { expectMixable, onlyTeacher, type Taught, taughtBy, teachersOf } from './teachers.ts';

/** Whether a teacher answers in every step: what it said once about an example that changes would be about another one. */
export const readsAlong = (task: DatasetTask | undefined): boolean =>
  task !== undefined && dataTask(task).teacherReadsAlong === true;

type Wired = Partial<Pick<DistillationConfig, 'hidden' | 'losses' | 'select' | 'augment'>> &
  Taught & { readonly task?: DatasetTask | undefined };

/** Inputs of distillation besides the student: the data, and what the teacher says about it, or the teacher if needed. */
export const wireDistillation = (
  config: Wired,
  wiring: Wiring,
  path: readonly string[] = [],
): Readonly<Record<string, Ref>> => {
  const task = config.task ?? wiring.task;
  const models = teachersOf(config, wiring, path);
  const dataset = wiring.dataset();
  const texts = { dataset, ...wireAugmentations(config, { unlabelled: true }, wiring, path) };
  expectMixable(config, task, wiring, path);
  const along = readsAlong(task);
  expectSelectable(config, { teachers: models.length, along }, wiring, path);
  if (along && models.length > 1) return { ...texts, teacher: onlyTeacher(models, wiring, path) };
  const looked = wireLooked(config, models, wiring, path);
  if (along) return { ...texts, teacher: models[0] };
  const { said, outputs } = taughtBy(config, models, dataset, wiring);
  return { ...texts, 'teacher-outputs': outputs, ...saidFor(config, said), ...looked };
};
