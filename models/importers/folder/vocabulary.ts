import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { UserError } from '../../../ground/errors.ts';
import { importError } from '../importer.ts';
import { type JsonObject, readJson, readText } from '../json-file.ts';
import type { ModelKind } from './classes/class.ts';
import type { ChosenClass } from './tokenizer-classes.ts';

/** What a tokenizer is made of where its folder has no tokenizer.json. */
export const vocabularyFiles = { words: 'vocab.txt', vocabulary: 'vocab.json', merges: 'merges.txt' } as const;

/** Files of SentencePiece by the names that transformers gives them. */
const sentencePiece: readonly string[] = ['spiece.model', 'sentencepiece.bpe.model', 'spm.model', 'tokenizer.model'];

type Vocabulary = ReadonlyMap<string, number>;

/** Remedy of every tokenizer that is not read: transformers reads them all and writes tokenizer.json. */
const remedy =
  "make tokenizer.json with transformers: AutoTokenizer.from_pretrained('FOLDER').save_pretrained('FOLDER')";

const linesOf = (path: string): readonly string[] => {
  const lines = readText(path).split(/\r\n|\r|\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
};

/** One token a line; its number is the id. */
const readWords = (folder: string): Vocabulary => {
  const lines = linesOf(join(folder, vocabularyFiles.words));
  if (lines.length === 0) throw importError(`${vocabularyFiles.words} is empty; expected one token a line`);
  return new Map(lines.map((token, id) => [token, id]));
};

const readVocabulary = (folder: string): Vocabulary => {
  const ids = readJson(join(folder, vocabularyFiles.vocabulary), z.record(z.string(), z.int().nonnegative()));
  return new Map(Object.entries(ids).sort(([, a], [, b]) => a - b));
};

const readMerges = (folder: string, vocabulary: Vocabulary): readonly (readonly [string, string])[] =>
  linesOf(join(folder, vocabularyFiles.merges)).flatMap((line, number) => {
    if (line.startsWith('#version') || line === '') return [];
    const [left = '', right, more] = line.split(' ');
    const at = `${vocabularyFiles.merges}:${number + 1}`;
    if (right === undefined || more !== undefined) {
      throw importError(`${at}: found ${JSON.stringify(line)}; expected two tokens with a space between them`);
    }
    const strange = [left, right, left + right].find((token) => !vocabulary.has(token));
    if (strange === undefined) return [[left, right] as const];
    throw importError(`${at}: ${vocabularyFiles.vocabulary} has no '${strange}': the files belong to two models`);
  });

/** The model of a tokenizer, as far as vocabulary files hold it, and the file with its tokens. */
interface VocabularyModel {
  readonly file: string;
  readonly model: JsonObject;
}

const fromWords = (folder: string): VocabularyModel => {
  const vocab = Object.fromEntries(readWords(folder));
  return { file: vocabularyFiles.words, model: { type: 'WordPiece', vocab } };
};

const fromMerges = (folder: string): VocabularyModel => {
  const vocabulary = readVocabulary(folder);
  const merges = readMerges(folder, vocabulary);
  return { file: vocabularyFiles.vocabulary, model: { type: 'BPE', vocab: Object.fromEntries(vocabulary), merges } };
};

/** The files that each kind of model is made of. */
const filesOf: Readonly<Record<ModelKind, readonly string[]>> = {
  WordPiece: [vocabularyFiles.words],
  BPE: [vocabularyFiles.vocabulary, vocabularyFiles.merges],
  Unigram: [],
};

/** What is missing, and what is there instead. */
const missing = (folder: string, { made, because }: ChosenClass): UserError => {
  const has = (file: string): boolean => existsSync(join(folder, file));
  const wanted = made === undefined ? [] : filesOf[made.kind];
  const [half] = wanted.filter(has);
  if (half !== undefined) {
    const absent = wanted.find((file) => !has(file));
    return importError(`the folder has ${half} and no ${absent}, which belong together`);
  }
  const others = [...sentencePiece, ...Object.values(vocabularyFiles)].filter(has);
  const pieces = others.some((file) => sentencePiece.includes(file))
    ? ' (SentencePiece, which decant does not read)'
    : '';
  const there = others.length === 0 ? 'has no tokenizer' : `has only ${others.join(' and ')}${pieces}`;
  const instead = wanted.length === 0 ? '' : ` or ${wanted.join(' with ')}`;
  return importError(`the folder ${there}, and ${because}: expected tokenizer.json${instead}; ${remedy}`);
};

/** The model that a folder's vocabulary files describe, of the kind that the tokenizer's class has. */
export const readVocabularyFiles = (folder: string, choice: ChosenClass): VocabularyModel => {
  const wanted = choice.made === undefined ? [] : filesOf[choice.made.kind];
  const whole = wanted.length > 0 && wanted.every((file) => existsSync(join(folder, file)));
  if (!whole) throw missing(folder, choice);
  return choice.made?.kind === 'BPE' ? fromMerges(folder) : fromWords(folder);
};
