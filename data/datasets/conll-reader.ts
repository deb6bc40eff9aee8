import { dataErrors } from '../errors.ts';
import type { SourceFile } from './bytes.ts';
import type { RowReader, Values } from './rows.ts';
import { textLines } from './text-blocks.ts';

/** A line with a word and what is known of it. */
interface Line {
  readonly line: number;
  readonly fields: readonly string[];
  readonly isRemark: boolean;
}

/** Tabs part fields that may have spaces in them; else spaces do. */
const fieldsOf = (text: string): readonly string[] =>
  text.includes('\t') ? text.split('\t').map((field) => field.trim()) : text.trim().split(/ +/);

/** Where a document begins, in files of the shared task of 2003. */
const isDocument = (fields: readonly string[]): boolean => fields[0] === '-DOCSTART-';

/** Lines between empty ones; remarks are told from words by how many fields they have. */
async function* blocksOf(file: SourceFile): AsyncGenerator<readonly Line[]> {
  let block: Line[] = [];
  for await (const { line, text } of textLines(file)) {
    const fields = text.trim() === '' ? [] : fieldsOf(text);
    if (fields.length > 0 && !isDocument(fields)) block.push({ line, fields, isRemark: text.startsWith('#') });
    else if (block.length > 0) {
      yield block;
      block = [];
    }
  }
  if (block.length > 0) yield block;
}

/** The words of a block, all with as many fields as the first that is no remark; undefined where there are remarks alone. */
const wordsOf = (block: readonly Line[], file: SourceFile): readonly Line[] | undefined => {
  const width = block.find(({ isRemark }) => !isRemark)?.fields.length;
  if (width === undefined) return undefined;
  const words = block.filter(({ fields, isRemark }) => !isRemark || fields.length === width);
  const odd = words.find(({ fields }) => fields.length !== width);
  if (odd !== undefined) throw dataErrors.oddLine(`${file.shown}:${odd.line}`, odd.fields.length, width);
  return words;
};

async function* sentencesOf(file: SourceFile): AsyncGenerator<readonly Line[]> {
  for await (const block of blocksOf(file)) {
    const words = wordsOf(block, file);
    if (words !== undefined) yield words;
  }
}

export const WORD_COLUMN = '1';
export const LAST_COLUMN = 'last';

/** Fields are called by their numbers, from 1; the last one is called so, too. */
const namesFor = (width: number): readonly string[] => [
  ...Array.from({ length: width }, (_, i) => String(i + 1)),
  LAST_COLUMN,
];

const indexOf = (name: string, width: number): number => (name === LAST_COLUMN ? width - 1 : Number(name) - 1);

/** The file and the lines of a sentence. */
const rowOf = (words: readonly Line[], { shown }: SourceFile, columns: readonly string[]): Values => {
  const at = (word: number): string => `${shown}:${words[word]?.line ?? words.at(-1)?.line ?? 1}`;
  const width = words[0]?.fields.length ?? 0;
  const names = namesFor(width);
  const missing = columns.find((name) => !names.includes(name));
  if (missing !== undefined) throw dataErrors.missingColumn(at(0), missing, names);
  return {
    ...{ at: at(0), wordAt: at, names },
    values: columns.map((name) => words.map(({ fields }) => fields[indexOf(name, width)])),
  };
};

/** Reads files of one word a line with its tags behind it, sentences parted by empty lines (CoNLL 2002, 2003 and later). */
export const conllReader: RowReader = {
  texts: WORD_COLUMN,
  values: async function* (file, columns) {
    for await (const words of sentencesOf(file)) yield rowOf(words, file, columns);
  },
  columns: async (file) => {
    for await (const words of sentencesOf(file)) return namesFor(words[0]?.fields.length ?? 0);
    return undefined;
  },
};
