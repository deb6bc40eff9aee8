import { clipped } from '../../ground/names.ts';
import type { Candidate, Item, Split } from './assemble.ts';
import { folded } from './missing.ts';

/** Equal for texts, or pairs, that differ in case, spaces or Unicode form alone. */
export const likeness = ({ text, pair }: Candidate): string =>
  JSON.stringify(pair === undefined ? [folded(text)] : [folded(text), folded(pair)]);

/** Texts of one split that another has, too: how many, and the first of them. */
interface Crossing {
  readonly from: Split;
  readonly to: Split;
  readonly one: Candidate;
  readonly other: Candidate;
  count: number;
}

type Told = (crossing: Crossing, places: string) => string;

const placesOf = ({ one, other }: Crossing): string => {
  const places = [one.at, other.at].filter((at) => at !== undefined).join(' and ');
  return `the first is '${clipped(one.text)}'${places === '' ? '' : ` (${places})`}`;
};

const texts = (count: number): string => `${count} text${count === 1 ? '' : 's'}`;

/** Equal texts were left out of the one split. */
export const leftOut: Told = ({ count, from, to }, first) =>
  `${texts(count)} of the ${from} split ${count === 1 ? 'is' : 'are'} in the ${to} split, too, and count${count === 1 ? 's' : ''} there alone: ${first}`;

const stay: Told = ({ count, from, to }, first) =>
  `${texts(count)} of the ${from} split differ${count === 1 ? 's' : ''} from texts of the ${to} split in case, spaces or Unicode form alone: ${first}; dedupe: true keeps one of each`;

/** Both are trained on. */
const trains = (split: Split): boolean => split === 'train' || split === 'unlabelled';

/** Counts texts that are in two splits. */
export class Crossings {
  readonly #crossings = new Map<string, Crossing>();

  add(
    one: Candidate,
    other: Candidate,
    [from = 'train', to = 'train']: readonly [Split | undefined, Split | undefined],
  ): void {
    if (from === to || (trains(from) && trains(to))) return;
    const key = `${from} ${to}`;
    const crossing = this.#crossings.get(key) ?? { from, to, one, other, count: 0 };
    crossing.count++;
    this.#crossings.set(key, crossing);
  }

  remarks(told: Told): readonly string[] {
    return [...this.#crossings.values()].map((crossing) => told(crossing, placesOf(crossing)));
  }
}

const order: readonly Split[] = ['test', 'validation', 'train', 'unlabelled'];

/** Texts of a split that are like those of one that judges it. */
export const alikeAcross = (items: readonly Item[]): readonly string[] => {
  const seen = new Map<string, Item>();
  const crossings = new Crossings();
  for (const split of order) {
    for (const item of items.filter((one) => one.split === split)) {
      const key = likeness(item.candidate);
      const other = seen.get(key);
      if (other === undefined) seen.set(key, item);
      else crossings.add(item.candidate, other.candidate, [item.split, other.split]);
    }
  }
  return crossings.remarks(stay);
};
