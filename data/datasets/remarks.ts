import { listed } from '../../ground/names.ts';
import { dataTask, taskWith } from '../../ground/tasks.ts';
import type { Dataset, Example } from '../dataset.ts';
import { targetKindOf } from '../targets/index.ts';
import { folded } from './missing.ts';

const LISTED = 5;

const classesIn = (examples: readonly Example[]): ReadonlySet<number | undefined> =>
  new Set(examples.flatMap(({ target }) => target));

const consequences = {
  train: 'no model can learn them',
  validation: 'no choice takes them into account',
  test: 'no figure of this run says anything about them',
} as const;

/** Classes that a split lacks. */
const lacking = (dataset: Dataset): readonly string[] => {
  return (['train', 'validation', 'test'] as const).flatMap((split) => {
    const present = classesIn(dataset[split]);
    const absent = dataset.classes.filter((_, index) => !present.has(index));
    return absent.length === 0
      ? []
      : [
          `${absent.length} of ${dataset.classes.length} classes have no text in the ${split} split (${listed(absent, LISTED)}): ${consequences[split]}`,
        ];
  });
};

const number = /^[+-]?\d+(?:\.\d*)?$/;

/** The same for names that people take for one: other case, other spaces, 1 and 1.0. */
const plainName = (name: string): string => {
  const spoken = folded(name);
  return number.test(spoken) ? String(Number(spoken)) : spoken;
};

/** Names that differ in nothing that is said aloud, most often one class that was written in two ways. */
const similarNames = (names: readonly string[]): readonly (readonly string[])[] => {
  const groups = new Map<string, string[]>();
  for (const name of names) groups.set(plainName(name), [...(groups.get(plainName(name)) ?? []), name]);
  return [...groups.values()].filter(({ length }) => length > 1);
};

/** What to know of the names of classes. */
export const nameRemarks = (names: readonly string[]): readonly string[] =>
  similarNames(names)
    .slice(0, LISTED)
    .map((group) => `${listed(group, LISTED)} are ${group.length} classes: give them one name if they are the same`);

/** Sets of one class at most may be several that nothing parted. */
const neverSeveral = ({ task, train }: Dataset): readonly string[] => {
  const sizes = train.map(({ target }) => (typeof target === 'object' ? target.length : 0));
  return dataTask(task).answer === 'set' && sizes.every((size) => size <= 1)
    ? [
        `no text has more than one class: check 'separator', or write task: ${taskWith('text', 'choice')} if each has just one`,
      ]
    : [];
};

/** What a user should know of a dataset before believing figures on it. */
export const remarksOn = (dataset: Dataset): readonly string[] => {
  const { named, about } = targetKindOf(dataset.task);
  return named && about === 'text'
    ? [...lacking(dataset), ...nameRemarks(dataset.classes), ...neverSeveral(dataset)]
    : [];
};
