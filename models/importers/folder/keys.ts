import { closest, distance } from 'fastest-levenshtein';
import { importError } from '../importer.ts';
import type { JsonObject } from '../json-file.ts';

/** What becomes of a key of a folder's file. */
export type Fate =
  | { readonly kind: 'carried out' }
  | { readonly kind: 'no effect'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string; readonly unless: (value: unknown) => boolean };

/** Every key that a release reads of a file, and what becomes of it here. */
export type KeyTable = Readonly<Record<string, Fate>>;

export const carriedOut: Fate = { kind: 'carried out' };
export const noEffect = (why: string): Fate => ({ kind: 'no effect', why });
/** Refused, but for values that change nothing. A key that is null counts as left out. */
export const refused = (why: string, ...harmless: readonly unknown[]): Fate => ({
  kind: 'refused',
  why,
  unless: (value) => value === null || harmless.some((one) => JSON.stringify(one) === JSON.stringify(value)),
});
export const refusedUnless = (unless: (value: unknown) => boolean, why: string): Fate => ({
  kind: 'refused',
  why,
  unless,
});

/** Keys that share a fate. */
export const all = (fate: Fate, ...keys: readonly string[]): KeyTable =>
  Object.fromEntries(keys.map((key) => [key, fate]));

/** The releases whose sources the tables were made from. What a newer one writes may mean something that nobody here knows. */
const readReleases = { transformers: [5, 24], 'sentence-transformers': [6, 2] } as const;
type Library = keyof typeof readReleases;

/** Whether a release is newer than the one that was read. A folder that does not say its release is taken for an older one. */
export const isNewer = (library: Library, version: unknown): boolean => {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(String(version)) ?? [];
  if (major === undefined || minor === undefined) return false;
  const [readMajor, readMinor] = readReleases[library];
  return Number(major) > readMajor || (Number(major) === readMajor && Number(minor) > readMinor);
};

const LONGEST_VALUE = 60;

/** What stands in a file, for messages. */
export const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
};

const meant = (key: string, known: readonly string[]): string => {
  const near = closest(key, [...known]);
  return distance(key, near) <= Math.max(2, Math.floor(key.length / 4)) ? `; did you mean '${near}'?` : '';
};

/**
 * Why keys that the tables do not have are refused: the library itself ends in an error there, or a newer release than the
 * one that was read has written them; undefined where they have no effect.
 */
export type Strangers = string | undefined;

/** Checks every key of a file against its tables: none is dropped unseen. */
export const checkKeys = (file: string, json: JsonObject, table: KeyTable, strangers: Strangers): void => {
  for (const [key, value] of Object.entries(json)) {
    const fate = Object.hasOwn(table, key) ? table[key] : undefined;
    if (fate === undefined) {
      if (strangers === undefined) continue;
      throw importError(`${file}: nothing is known of the key '${key}'${meant(key, Object.keys(table))}: ${strangers}`);
    }
    if (fate.kind === 'refused' && !fate.unless(value)) {
      throw importError(`${file}: ${key} is ${shown(value)}; ${fate.why}`);
    }
  }
};

/** Why keys that a newer release wrote are refused. */
export const newerStrangers = (library: Library, version: unknown): Strangers =>
  isNewer(library, version)
    ? `the folder was written by ${library} ${String(version)}, decant has read the sources of ${readReleases[library].join('.')}: ` +
      'save the model with that release, or take the key out if it changes nothing'
    : undefined;
