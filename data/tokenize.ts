import type { Example } from './dataset.ts';
import { dataError } from './errors.ts';
import type { TokenizerJson } from './tokenizer.ts';
import { checkFormat } from './tokenizers/format.ts';
import { guardedWorker } from './tokenizers/guard.ts';
import { type Job, type Worker, workerOf } from './tokenizers/jobs.ts';
import { nativeTokenizer } from './tokenizers/library.ts';
import { addedTokensOf, listOf, partOf, vocabularyOf } from './tokenizers/parts.ts';
import { endlessToken, risksOf } from './tokenizers/risks.ts';

/** A text, or two that are read together (every example is one). */
export type TextInput = string | Pick<Example, 'text' | 'pair'>;

/** More tokens than any text has: it is read to its end. */
export const TO_THE_END = 2 ** 30;

/** A text, or a pair of them, as a model reads it. */
export interface EncodedText {
  readonly ids: Int32Array;
  /** Which of two texts each token belongs to (token_type_ids); left out where all are 0. */
  readonly types?: Uint8Array;
  /** Position of the first token of each word, -1 where there is none; only where words are answered about. */
  readonly words?: Int32Array;
  /** 1 for each token that goes on with the word of the one before it; only where words are answered about. */
  readonly continued?: Uint8Array;
  /** Tokens that did not fit into the length; left out where all did. */
  readonly cut?: number;
}

/** Texts to ids as Python's tokenizers do it, by the same library. */
export interface TextEncoder {
  /**
   * Ids of each text with special tokens; at least one. What is longer than `maxLength` is cut: special tokens stay, and of a
   * pair the longer text gives first.
   */
  encodeBatch(texts: readonly TextInput[], maxLength: number, signal?: AbortSignal): Promise<readonly EncodedText[]>;
  /** The same of texts that are answered about word by word: what lies between single spaces, with the place of each. */
  encodeWords(texts: readonly string[], maxLength: number, signal?: AbortSignal): Promise<readonly EncodedText[]>;
  /** One text alone. */
  encode(text: TextInput, maxLength: number): Promise<EncodedText>;
  /** Ids go from 0 to size - 1. */
  readonly size: number;
  token(id: number): string | undefined;
}

/** Work between two looks at the signal, and what lies in memory at once beside the result. */
const MOST_TEXTS = 2000;
const MOST_CHARACTERS = 1_000_000;

const charactersOf = (input: TextInput): number =>
  typeof input === 'string' ? input.length : input.text.length + (input.pair?.length ?? 0);

/** Lists of texts that are encoded at once; one text at least. */
const pieces = function* <T extends TextInput>(texts: readonly T[]): Generator<readonly T[]> {
  let [start, characters] = [0, 0];
  for (const [i, text] of texts.entries()) {
    const more = charactersOf(text);
    if (i > start && (i - start === MOST_TEXTS || characters + more > MOST_CHARACTERS)) {
      yield texts.slice(start, i);
      [start, characters] = [i, 0];
    }
    characters += more;
  }
  if (start < texts.length) yield texts.slice(start);
};

/** Here, or where one text may take hours or all memory in a process of its own, which takes all texts in one go. */
const lazyWorker = (json: TokenizerJson): Worker => {
  const risks = risksOf(json);
  if (risks.length > 0) return guardedWorker(json, risks);
  let worker: Worker | undefined;
  const own = (): Worker => (worker ??= workerOf(json));
  return {
    words: (texts) => own().words(texts),
    encode: async (texts, job, signal) => {
      const encoded: EncodedText[] = [];
      for (const piece of pieces(texts)) {
        signal?.throwIfAborted();
        for (const one of await own().encode(piece, job)) encoded.push(one);
      }
      return encoded;
    },
  };
};

/** Tokens by id; added ones stand for what the vocabulary says of their ids. */
const tokensOf = (json: TokenizerJson): readonly (string | undefined)[] => {
  const tokens: (string | undefined)[] = [];
  for (const [token, id] of vocabularyOf(json)) tokens[id] = token;
  for (const { id, content } of addedTokensOf(json)) tokens[id] = content;
  return tokens;
};

const encoderOf = (json: TokenizerJson, worker: Worker): TextEncoder => {
  const tokens = tokensOf(json);
  const encode = (texts: readonly TextInput[], job: Job, signal?: AbortSignal) => worker.encode(texts, job, signal);
  return {
    size: tokens.length,
    token: (id) => tokens[id],
    encodeBatch: (texts, maxLength, signal) => encode(texts, { about: 'texts', maxLength }, signal),
    encodeWords: (texts, maxLength, signal) => encode(texts, { about: 'words', maxLength }, signal),
    encode: async (text, maxLength) => {
      const [encoded] = await encode([text], { about: 'texts', maxLength });
      if (encoded === undefined) throw new Error('a text was encoded to nothing');
      return encoded;
    },
  };
};

/** The encoder that a tokenizer.json describes. Throws where the file is wrong; the library loads with the first text. */
export const tokenizerOf = (json: TokenizerJson): TextEncoder => {
  checkFormat(json);
  const endless = endlessToken(json);
  if (endless !== undefined) {
    throw dataError(
      'tokenizer-limit',
      `tokenizer.json: its normalizer may make millions of characters of the added tokens, most of ${JSON.stringify(endless.slice(0, 100))}; change it, or take another tokenizer`,
    );
  }
  return encoderOf(json, lazyWorker(json));
};

/** The words a tokenizer.json of decant's own cuts texts into before its model sees them: what trainers count. */
export const preTokenizerOf = (json: TokenizerJson): ((text: string) => readonly string[]) => {
  const tokenizer = nativeTokenizer(json);
  const [normalizer, preTokenizer] = [tokenizer.getNormalizer(), tokenizer.getPreTokenizer()];
  return (text) => {
    const normalized = normalizer?.normalizeString(text) ?? text;
    return preTokenizer?.preTokenizeString(normalized).map(([word]) => word) ?? [normalized];
  };
};

/** A vocabulary of nothing: each word is its only token, written as the model meets it. */
const wordsOnly = { type: 'Unigram', unk_id: 0, byte_fallback: false, vocab: [['\u0000', 0]] };

/** The words that the model of a tokenizer.json meets in a text: what lies between added tokens, normalised. */
export const modelWordsOf = (
  json: TokenizerJson,
): ((texts: readonly string[]) => Promise<readonly (readonly string[])[]>) => {
  const added_tokens = listOf(json.added_tokens).map((token, i) => ({ ...partOf(token), id: i + 1 }));
  const worker = lazyWorker({ ...json, added_tokens, post_processor: null, model: wordsOnly });
  return (texts) => worker.words(texts);
};
