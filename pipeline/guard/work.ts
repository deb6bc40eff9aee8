import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TextInput } from '../../data/tokenize.ts';
import type { Model } from '../../models/model.ts';
import type { Work } from './limits.ts';

/** Texts of one pass, at most. */
const BATCH = 64;

/** A token takes a byte at least, and special tokens stand around the text. */
const SPECIAL_TOKENS = 8;

const bytesOf = (given: TextInput): number => {
  const { text, pair = '' } = typeof given === 'string' ? { text: given } : given;
  return Buffer.byteLength(text) + Buffer.byteLength(pair) + SPECIAL_TOKENS;
};

/** Of the file, or of what was made of files of another kind. */
const tokenizerBytes = async (folder: string, { tokenizer }: Model): Promise<number> => {
  if (tokenizer === undefined) return 0;
  const file = await stat(join(folder, 'tokenizer.json')).catch(() => undefined);
  return file?.size ?? Buffer.byteLength(JSON.stringify(tokenizer));
};

/** What running these texts through a model can take. */
export const textWork = async (
  { folder, model }: { readonly folder: string; readonly model: Model },
  texts: readonly TextInput[],
): Promise<Work> => {
  const { weightBytes } = await import('../../graph/codec/index.ts');
  const longest = texts.reduce((most, text) => Math.max(most, bytesOf(text)), 0);
  return {
    files: weightBytes(model.graph) + (await tokenizerBytes(folder, model)),
    rows: Math.min(texts.length, BATCH),
    longest: Math.min(model.info.maxLength, longest),
  };
};
