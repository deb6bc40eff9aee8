import type { UserError } from '../../ground/errors.ts';
import type { Target } from '../dataset.ts';
import type { MissingOptions } from '../datasets/missing.ts';
import type { Values } from '../datasets/rows.ts';
import type { Scheme, TaggedText } from './iob.ts';

/** A target as files have it: the name of a class, names of classes (one a word, or a set of them), or a number. */
export type Named = string | readonly string[] | number;

/** What a row has in the place of a target, or how it spells that there is none, and what that is called but a label. */
export type ReadTarget =
  | {
      readonly target: Named;
      /** The text as it was cut into what has a target each. */
      readonly text?: string;
    }
  | { readonly missing: string; readonly noun?: string };

/** What options of a table say of where targets are. */
export interface TargetOptions {
  /** The first of `labels`. */
  readonly label: string;
  readonly labels: readonly string[];
  /** What stands between several targets in one column. */
  readonly separator?: string | undefined;
  /** What stands before the decimals of numbers. */
  readonly decimal?: '.' | ',';
  /** Classes by their numbers, where files have these. */
  readonly names?: readonly string[] | undefined;
}

/** A row with its text as the format has it: of words, where these have targets, it may be a list. */
type AskedRow = Values & { readonly text?: unknown };

/** Reads the target of a row from the values of some columns; throws a dataError that names the row. */
export type ReadRow = (
  values: readonly unknown[],
  columns: readonly string[],
  row: AskedRow,
  missing: MissingOptions,
) => ReadTarget;

/** How a table of the user's holds targets. */
interface TableTarget {
  /** Whether they may stand in several columns, or with something between them in one. */
  readonly several?: boolean;
  /** Whether each is about a word, so that texts may be lists of words. */
  readonly words?: boolean;
  /** Whether they are numbers. */
  readonly numbers?: boolean;
  columns(options: TargetOptions): readonly string[];
  /** Classes in their order, where the options name them. */
  classes?(options: TargetOptions): readonly string[] | undefined;
  read(...given: [...Parameters<ReadRow>, options: TargetOptions]): ReadTarget;
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
  /** Names of classes with those that follow from them. */
  complete?(names: readonly string[]): readonly string[];
  /** Names as they are used, where texts that are read together tell what they mean. */
  settle?(texts: readonly TaggedText[], scheme?: Scheme): readonly (readonly string[])[];
  /** Why nothing can be learned from the targets of a source; undefined where something can. */
  problem?(targets: readonly Named[], source: string): UserError | undefined;
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
