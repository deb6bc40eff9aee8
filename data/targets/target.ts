import type { Target } from '../dataset.ts';
import type { MissingOptions } from '../datasets/missing.ts';
import type { Values } from '../datasets/rows.ts';

/** A target as files have it: the name of a class, names of classes (one a word, or a set of them), or a number. */
export type Named = string | readonly string[] | number;

/** What a row has in the place of a target, and how it spells that there is none. */
export type ReadTarget = { readonly target: Named } | { readonly missing: string };

/** Options of a table that say where targets are. */
interface TargetOptions {
  readonly label: string;
}

/** How a table of the user's holds targets. */
export interface TableTarget {
  columns(options: TargetOptions): readonly string[];
  /** The target of a row, from the values of those columns; throws a dataError that names the row. */
  read(values: readonly unknown[], columns: readonly string[], row: Values, missing: MissingOptions): ReadTarget;
}

/** One kind of thing that is known of a text and has to be learnt. */
export interface TargetKind {
  /** The key under which the lines of a dataset hold it. */
  readonly key: string;
  /** What an example lacks that has none, as messages call it. */
  readonly noun: string;
  /** What has one of its own. */
  readonly about: 'text' | 'word' | 'nothing';
  /** Whether it is classes, which have names and an order. */
  readonly named: boolean;
  fits(target: Target | undefined): boolean;
  /** Absent where tables of the user's cannot hold it. */
  readonly table?: TableTarget;
}

/** Classes that a target names. */
export const namesIn = (target: Named | undefined): readonly string[] =>
  target === undefined || typeof target === 'number' ? [] : typeof target === 'string' ? [target] : target;

/** A target with numbers for the names of classes. */
export const indexed = (target: Named, indexOf: (name: string) => number): Target => {
  if (typeof target === 'number') return target;
  return typeof target === 'string' ? indexOf(target) : target.map(indexOf);
};
