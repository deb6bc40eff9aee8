import { z } from 'zod';
import type { DataFacts, Effort, Expected, Foreboding, TextCounts } from '../../expected.ts';
import { shareOf } from '../../prune/counts.ts';
import type { Ref, Wiring } from '../../stage.ts';
import { trainingEffort } from '../../train/effort.ts';
import type { TrainingConfig } from '../../train/options.ts';
import { selectionOf, selections } from './index.ts';

const wantsShare = {
  error: ({ input }: { readonly input?: unknown }) =>
    `expected a share above 0 and below 1, as 0.5 or '50%'; found ${JSON.stringify(input)}`,
};

const isPart = (share: number | undefined): boolean => share !== undefined && share > 0 && share < 1;

const share = z
  .union([z.number(), z.string()], wantsShare)
  .refine((given) => isPart(typeof given === 'number' ? given : shareOf(given)), wantsShare);

const [usual, ...others] = selections;

/** Which of the texts without labels a student is taught on. */
export const selectOption = z
  .strictObject({
    share: share.describe('how many of them are taken, as 0.5 or 50%'),
    by: z
      .enum([usual.name, ...others.map(({ name }) => name)])
      .default(usual.name)
      .describe(`which of them; ${selections.map(({ name, summary }) => `${name}: ${summary}`).join('; ')}`),
  })
  .describe('teaches on a part of the texts without labels: { share: 50%, by: disagreement }');

interface Selecting {
  readonly select?: z.output<typeof selectOption> | undefined;
}

/** How many of some texts are taken. */
export const takenOf = ({ share: given }: NonNullable<Selecting['select']>, count: number): number =>
  Math.max(1, Math.round((typeof given === 'number' ? given : (shareOf(given) ?? 1)) * count));

/** The work of distillation: what is not taken is not taught. */
export const distillationEffort = (
  options: Selecting & Pick<TrainingConfig, 'epochs' | 'steps' | 'batch' | 'accumulate' | 'validationLimit'>,
  texts: TextCounts,
): Effort => {
  const { select } = options;
  const { train, unlabelled } = texts;
  const effort = trainingEffort(
    options,
    train + (select === undefined ? unlabelled : takenOf(select, unlabelled)),
    texts,
  );
  const asks = select !== undefined && selectionOf(select.by).reads === 'student';
  return asks ? { ...effort, asked: (effort.asked ?? 0) + unlabelled } : effort;
};

/** The name by which what one of several teachers said comes in. */
export const saidName = (teacher: number): string => `said-${teacher}`;

/** What each teacher said, where texts are chosen by that. */
export const saidFor = ({ select }: Selecting, said: readonly Ref[]): Readonly<Record<string, Ref>> =>
  select !== undefined && selectionOf(select.by).reads === 'teachers'
    ? Object.fromEntries(said.map((one, k) => [saidName(k), one]))
    : {};

/** What is wrong with a choice of texts, whatever the models are. */
export const expectSelectable = (
  { select }: Selecting,
  { teachers, along, keeps }: { readonly teachers: number; readonly along: boolean; readonly keeps: boolean },
  wiring: Wiring,
  path: readonly string[],
): void => {
  if (select === undefined) return;
  const { name, reads } = selectionOf(select.by);
  const at = [...path, 'select', 'by'];
  if ((along || keeps) && reads !== 'nothing') {
    const why = along ? 'such a teacher answers in the steps alone' : 'of those over a vocabulary the largest are kept';
    wiring.problem(at, `by: ${name} looks at answers, and ${why}; expected random`);
  } else if (reads === 'teachers' && teachers < 2) {
    wiring.problem(at, `by: ${name} asks how far teachers are from each other; expected two teachers or more`);
  }
};

/** Why a student that answers nothing yet cannot be compared. */
export const noAnswers =
  'the student does not answer yet what the data asks: expected by: random, or a student that was trained';

/** What would stop a choice of texts by what the student says. */
export const selectProblems = (
  { select }: Selecting,
  { task }: Pick<Expected, 'task'>,
  data: DataFacts | undefined,
): readonly Foreboding[] =>
  select === undefined || selectionOf(select.by).reads !== 'student' || task === undefined || data === undefined
    ? []
    : task === data.task
      ? []
      : [{ path: ['select', 'by'], message: noAnswers }];
