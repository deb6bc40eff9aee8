import type { DatasetTask } from '../../ground/tasks.ts';
import type { Ref, Wiring } from '../stage.ts';
import { wireAugmentations } from '../train/augment.ts';
import { expectKeepable } from './kept.ts';
import { wireLooked } from './looked.ts';
import type { DistillationConfig } from './options.ts';
import { expectSelectable, saidFor } from './select/option.ts';
import { expectMixable, keepsLargest, onlyTeacher, readsAlong, type Taught, taughtBy, teachersOf } from './teachers.ts';
import { expectWritable } from './written.ts';

type Wired = Partial<Pick<DistillationConfig, 'hidden' | 'losses' | 'select' | 'augment' | 'temperature' | 'written'>> &
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
  const [along, keeps] = [readsAlong(task, config), keepsLargest(task, config)];
  expectKeepable(config, task, wiring, path);
  expectWritable(config, task, wiring, path);
  expectSelectable(config, { teachers: models.length, along, keeps }, wiring, path);
  if ((along || keeps) && models.length > 1) {
    return { ...texts, teacher: onlyTeacher(models, wiring, path, along ? 'along' : 'kept') };
  }
  const looked = wireLooked(config, models, wiring, path);
  if (along) return { ...texts, teacher: models[0] };
  const { said, outputs } = taughtBy(config, models, dataset, { task, temperature: config.temperature }, wiring);
  return { ...texts, 'teacher-outputs': outputs, ...saidFor(config, said), ...looked };
};
