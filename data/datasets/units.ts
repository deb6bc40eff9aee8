import { drawsOf } from '../hash.ts';
import { namesIn } from '../targets/target.ts';
import type { Candidate } from './assemble.ts';
import type { Placeable } from './placement.ts';

/**
 * What stays in one split: all texts of a group, and pairs with an equal first text; what a model learns from the one, the
 * other must not ask for.
 */
export interface Unit {
  /** The first of its groups by name, or its text. */
  readonly key: string;
  /** Decides the split. */
  readonly draw: number;
  readonly labels: ReadonlySet<string | undefined>;
  /** Texts. */
  readonly count: number;
  /** When its newest text is from. */
  readonly newest: number;
}

/** What a text has to be spread by: its classes, or the lack of any. */
export const strataOf = ({ target }: Candidate): readonly (string | undefined)[] => {
  const names = namesIn(target);
  return names.length === 0 ? [undefined] : names;
};

/** Names that belong together, by the first that was joined (Tarjan 1975, with path halving). */
class Joined {
  readonly #parents = new Map<string, string>();

  rootOf(name: string): string {
    let root = name;
    for (;;) {
      const parent = this.#parents.get(root) ?? root;
      if (parent === root) return root;
      const above = this.#parents.get(parent) ?? parent;
      this.#parents.set(root, above);
      root = above;
    }
  }

  join(one: string, other: string): void {
    const [a, b] = [this.rootOf(one), this.rootOf(other)];
    if (a !== b) this.#parents.set(b, a);
  }
}

const textName = (text: string): string => `t${text}`;

const unitOf = (items: readonly Placeable[]): Unit => {
  const groups = items.flatMap(({ candidate: { group } }) => (group === undefined ? [] : [group])).sort();
  const [first] = items;
  const [group] = groups;
  return {
    key: group ?? first?.candidate.text ?? '',
    draw: group === undefined ? (first?.draws.split ?? 0) : drawsOf(group).split,
    labels: new Set(items.flatMap(({ candidate }) => strataOf(candidate))),
    count: items.length,
    newest: items.reduce(
      (newest, { candidate: { time } }) => Math.max(newest, time?.value ?? newest),
      Number.NEGATIVE_INFINITY,
    ),
  };
};

/** The unit of each text. */
export const unitsOf = (items: readonly Placeable[]): ReadonlyMap<Placeable, Unit> => {
  const joined = new Joined();
  for (const {
    candidate: { text, group },
  } of items)
    if (group !== undefined) joined.join(`g${group}`, textName(text));
  const members = new Map<string, Placeable[]>();
  for (const item of items) {
    const root = joined.rootOf(textName(item.candidate.text));
    const own = members.get(root) ?? [];
    members.set(root, own);
    own.push(item);
  }
  const units = new Map<Placeable, Unit>();
  for (const own of members.values()) {
    const unit = unitOf(own);
    for (const item of own) units.set(item, unit);
  }
  return units;
};
