import type { Effort, Foreboding, Foreseen, Outlook, TextCounts } from '../expected.ts';
import type { Ref, Wiring } from '../stage.ts';
import { wireAugmentations } from '../train/augment.ts';
import { allTraining, trainingEffort } from '../train/effort.ts';
import { foreseeTraining } from '../train/foresee.ts';
import { foreseeDistillation } from './foresee.ts';
import type { Recover } from './recover-options.ts';
import { distillationEffort } from './select/option.ts';
import { otherTokensIn } from './tokens.ts';
import { wireDistillation } from './wire.ts';

/** What a stage reads whose model recovers, or that looks at texts for itself. */
export const wireRecovery = (
  recover: Recover | undefined,
  readsTexts: boolean,
  wiring: Wiring,
): Readonly<Record<string, Ref>> => {
  if (recover?.uses === 'distill') return wireDistillation(recover, wiring, ['recover']);
  if (recover === undefined) return readsTexts ? { dataset: wiring.dataset() } : {};
  return { dataset: wiring.dataset(), ...wireAugmentations(recover, { unlabelled: false }, wiring, ['recover']) };
};

/** The work of the training inside. */
export const recoveryEffort = (recover: Recover, texts: TextCounts): Effort => {
  if (recover.uses === 'distill') return distillationEffort(recover, texts);
  return trainingEffort(recover, recover.task === undefined ? texts.train : allTraining(texts), texts);
};

/** What that training makes of a model, with its problems where they stand in the file. */
export const foreseeRecovery = (recover: Recover, outlook: Outlook): Foreseen => {
  const trained =
    recover.uses === 'train' ? foreseeTraining(recover, 'train', outlook) : foreseeDistillation(recover, outlook);
  return { ...trained, problems: (trained.problems ?? []).map((one) => ({ ...one, path: ['recover', ...one.path] })) };
};

/** What only shows where tokenizers are read. */
export const recoveryTokens = async (
  recover: Recover | undefined,
  outlook: Outlook,
): Promise<readonly Foreboding[]> => {
  if (recover?.uses !== 'distill') return [];
  return (await otherTokensIn(recover, outlook)).map((one) => ({ ...one, path: ['recover', ...one.path] }));
};
