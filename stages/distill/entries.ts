import type { ImitationEntry } from '../../engine/losses/imitation.ts';
import { readsInside } from '../../engine/losses/imitation.ts';
import { imitationOf } from '../../engine/losses/imitations/index.ts';
import type { DistillationConfig } from './options.ts';

type Imitating = Pick<DistillationConfig, 'losses' | 'hidden'>;

/** What is imitated: the list, or the usual loss of the task with the hidden states that the simple keys ask for. */
export const entriesOf = ({ losses, hidden }: Imitating, usual: string): readonly ImitationEntry[] => {
  if (losses !== undefined) return losses;
  const answers: ImitationEntry = { uses: usual, weight: 1, until: 1 };
  if (hidden === undefined) return [answers];
  const { weight, layers, share } = hidden;
  return [answers, { uses: 'hidden', weight, layers, until: share }];
};

/** Whether an entry reads what models compute inside. */
export const looksInside = ({ uses }: Pick<ImitationEntry, 'uses'>): boolean => readsInside(imitationOf(uses));

/** Whether the teacher takes part in the steps for what it computes inside. */
export const needsTeacher = ({ losses = [], hidden }: Readonly<Partial<Imitating>>): boolean =>
  hidden !== undefined || losses.some(looksInside);

/** What each is called: by its name, and by its turn where it is there again. */
export const termsOf = (entries: readonly ImitationEntry[]): readonly string[] =>
  entries.map(({ uses }, at) => {
    const turn = entries.slice(0, at).filter((other) => other.uses === uses).length + 1;
    return turn === 1 ? uses : `${uses}-${turn}`;
  });

/** Shares of the steps at which losses end, in their order; those that never end, at 1. */
export const endsOf = (entries: readonly ImitationEntry[]): readonly number[] =>
  [...new Set(entries.map(({ until }) => until))].sort((a, b) => a - b);
