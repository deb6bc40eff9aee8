import {
  type Beside,
  type ImitationContext,
  type ImitationEntry,
  imitate,
  type Loss,
  type LossSettings,
} from '../../engine/losses/index.ts';
import type { LayerPair } from '../../engine/losses/layer-map.ts';
import type { Task } from '../../engine/tasks/task.ts';
import { dataTask } from '../../ground/tasks.ts';
import { tapsOf } from '../../models/anatomy/taps.ts';
import type { Model } from '../../models/model.ts';

export { layerPairs } from '../../engine/losses/layer-map.ts';

type Given = Pick<ImitationEntry, 'uses'> & Partial<ImitationEntry>;

/** An entry of the list as the schema fills it up. */
export const entryOf = (given: Given): ImitationEntry => ({ weight: 1, until: 1, ...given });

/** The loss of an entry, as distill makes it. */
export const imitation = (given: Given, context: Partial<ImitationContext> = {}): Loss =>
  imitate(entryOf(given), { answer: 'choice', hard: 0, temperature: 2, ...context });

type Shares = Partial<Pick<LossSettings, 'temperature' | 'hard' | 'beside'>>;

/** Divergence from a teacher's logits. */
export const distillation = ({ temperature = 1, hard = 0, beside }: Shares): Loss =>
  imitation({ uses: 'kl' }, { temperature, hard, beside });

/** A loss that looks inside both models. */
export const inside = (student: Model, beside: Beside, given: Given): Loss =>
  imitation(given, { inside: { beside, student: tapsOf(student), teacher: tapsOf(beside.model) } });

/** Squared distance of hidden states. */
export const hiddenStates = (
  student: Model,
  beside: Beside,
  { pairs, weight }: { readonly pairs: readonly LayerPair[]; readonly weight: number },
): Loss => inside(student, beside, { uses: 'hidden', weight, layers: Object.fromEntries(pairs) });

/** What a task learns from a teacher's answers where nobody chooses. */
export const usualImitation = (task: Task, settings: LossSettings): readonly Loss[] => {
  const { hard, temperature, beside } = settings;
  const { answer } = dataTask(task.name);
  return [
    imitation({ uses: task.imitation }, { answer, hard, temperature, beside }),
    ...(task.besides?.(settings) ?? []),
  ];
};
