import { createRequire } from 'node:module';
import { refusalOf } from '../../ground/errors.ts';

/** What decant uses of an encoded text of the native library. */
export interface Encoding {
  getLength(): number;
  getIds(): readonly number[];
  getTypeIds(): readonly number[];
  getTokens(): readonly string[];
  /** Which text each token is of; none for the special tokens around the texts. */
  getSequenceIds(): readonly (number | null | undefined)[];
  /** Where each token stands in its text, in code points. */
  getOffsets(): readonly (readonly [start: number, end: number])[];
}

/** What decant uses of the native library's tokenizer, whose own declarations name types that they do not declare. */
export interface NativeTokenizer {
  encode(text: string, pair?: string | null): Promise<Encoding>;
  encodeBatch(texts: readonly string[]): Promise<readonly Encoding[]>;
  decode(ids: readonly number[], skipSpecialTokens: boolean): Promise<string>;
  tokenToId(token: string): number | null;
  getNormalizer(): { normalizeString(text: string): string } | null;
  getPreTokenizer(): { preTokenizeString(text: string): readonly (readonly [string, unknown])[] } | null;
}

interface Library {
  readonly Tokenizer: { fromString(json: string): NativeTokenizer };
}

let library: Library | undefined;

/** Hugging Face's tokenizers in Rust. Loaded where texts are encoded and not before: most processes encode none. */
export const nativeTokenizer = (json: unknown): NativeTokenizer => {
  library ??= createRequire(import.meta.url)('tokenizers') as Library;
  try {
    return library.Tokenizer.fromString(JSON.stringify(json));
  } catch (error) {
    throw refusalOf(error);
  }
};
