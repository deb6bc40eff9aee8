import type { TokenizerJson } from '../tokenizer.ts';
import { nativeTokenizer } from './library.ts';

/** What stands for bytes that are no character yet. */
const UNFINISHED = '\ufffd';

/** Gives the text of tokens piece by piece, each as soon as its characters are whole. */
export interface TextWriter {
  /** What one more token adds to the text. */
  add(id: number): Promise<string>;
  /** What is left once no more tokens come. */
  rest(): Promise<string>;
}

/** Tokens behind those of `before` as text: some tokenizers write the first token of a text in another way. */
export const textWriter = async (json: TokenizerJson, before: readonly number[]): Promise<TextWriter> => {
  const tokenizer = nativeTokenizer(json);
  const ids = [...before];
  let told = before.length === 0 ? '' : await tokenizer.decode([...before], true);
  const behind = (text: string): string => {
    const piece = text.slice(told.length);
    told = text;
    return piece;
  };
  return {
    add: async (id) => {
      ids.push(id);
      const text = await tokenizer.decode(ids, true);
      return text.endsWith(UNFINISHED) ? '' : behind(text);
    },
    rest: async () => behind(await tokenizer.decode(ids, true)),
  };
};

/** Texts of whole lists of tokens, without special ones. */
export const decoderOf = (json: TokenizerJson): ((ids: readonly number[]) => Promise<string>) => {
  const tokenizer = nativeTokenizer(json);
  return async (ids) => (ids.length === 0 ? '' : await tokenizer.decode([...ids], true));
};
