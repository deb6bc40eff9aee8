import type { Item, Split } from './assemble.ts';
import { type Time, timeWords } from './time-column.ts';

/** Figures on fewer groups are figures on these groups. */
const FEW_GROUPS = 5;

const held = ['validation', 'test'] as const;

const groupsIn = (items: readonly Item[], split: Split): ReadonlySet<string> =>
  new Set(items.flatMap((item) => (item.split === split ? (item.candidate.group ?? []) : [])));

const fewGroups = (items: readonly Item[]): readonly string[] => {
  const all = new Set(items.flatMap(({ candidate }) => candidate.group ?? [])).size;
  return held.flatMap((split) => {
    const own = groupsIn(items, split).size;
    return all === 0 || own >= FEW_GROUPS
      ? []
      : [`the ${split} split has ${own} of ${all} groups: what holds of them may hold of no others`];
  });
};

const firstTime = (items: readonly Item[], split: Split): Time | undefined => {
  const times = items.flatMap((item) => (item.split === split ? (item.candidate.time ?? []) : []));
  return times.reduce<Time | undefined>(
    (first, time) => (first === undefined || time.value < first.value ? time : first),
    undefined,
  );
};

const periods = (items: readonly Item[]): readonly string[] => {
  const starts = held.flatMap((split) => {
    const first = firstTime(items, split);
    return first === undefined ? [] : [`${split} from ${timeWords(first)}`];
  });
  return starts.length === 0 ? [] : [`the splits are parted by time: ${starts.join(', ')} on`];
};

const leftOut = (count: number): readonly string[] =>
  count === 0 ? [] : [`${count} unlabelled texts are left out: their groups are in the validation or the test split`];

/** What to know of splits that groups or times decide. */
export const placementRemarks = (items: readonly Item[], heldOut: number): readonly string[] => [
  ...fewGroups(items),
  ...periods(items),
  ...leftOut(heldOut),
];
