import { isDeepStrictEqual } from 'node:util';
import { isRefusal, refusalOf, reworded, type UserError } from '../../ground/errors.ts';
import { dataError } from '../errors.ts';
import type { EncodedText, TextInput } from '../tokenize.ts';
import type { TokenizerJson } from '../tokenizer.ts';
import { modelKindOf } from './format.ts';
import { type Encoding, type NativeTokenizer, nativeTokenizer } from './library.ts';
import { addedTokensOf, listOf, partOf } from './parts.ts';
import { keptTokens } from './truncate.ts';
import { largestType } from './types.ts';
import { splitAtMarks } from './unigram.ts';
import { unknownOf } from './unknown.ts';
import { placesOf } from './words.ts';

/** What is asked about texts: plain data, since another process may do it. */
export interface Job {
  /** `words`: also where the first token of each word stands, words being what lies between single spaces. */
  readonly about: 'texts' | 'words';
  readonly maxLength: number;
}

type Split = readonly [text: string, pair: string | null];

/** An empty second text is none: so do transformers and transformers.js. */
const splitOf = (input: TextInput): Split => {
  if (typeof input === 'string') return [input, null];
  return [input.text, input.pair === undefined || input.pair === '' ? null : input.pair];
};

/** Lists of single texts are spread over threads by the library; it takes pairs one by one. */
const encodeAll = (tokenizer: NativeTokenizer, texts: readonly Split[]): Promise<readonly Encoding[]> =>
  texts.every(([, pair]) => pair === null)
    ? tokenizer.encodeBatch(texts.map(([text]) => text))
    : Promise.all(texts.map(([text, pair]) => tokenizer.encode(text, pair)));

const shown = ([text, pair]: Split): string =>
  JSON.stringify(pair === null ? text.slice(0, 100) : [text.slice(0, 100), pair.slice(0, 100)]);

const unencodable = (text: Split, reason: string): UserError =>
  dataError(
    'unencodable-text',
    `tokenizer.json cannot encode the text ${shown(text)}: ${reason}; mend its model, or leave the text out`,
  );

/** The library refuses a whole list for one text: the first that it refuses alone is named. */
const encodeOrName = async (tokenizer: NativeTokenizer, texts: readonly Split[]): Promise<readonly Encoding[]> => {
  try {
    return await encodeAll(tokenizer, texts);
  } catch (cause) {
    for (const text of texts) {
      await encodeAll(tokenizer, [text]).catch((error: unknown) => {
        throw reworded(refusalOf(error), (reason) => unencodable(text, reason));
      });
    }
    throw cause;
  }
};

/** Whether any type of the frame around a single text is another one than 0. Those of pairs are read with every pair. */
const hasTypes = (json: unknown): boolean => {
  if (typeof json !== 'object' || json === null) return false;
  const { type_id } = partOf(json);
  const parts = Object.entries(json).filter(([name]) => name !== 'pair');
  return (typeof type_id === 'number' && type_id !== 0) || parts.some(([, part]) => hasTypes(part));
};

/** Ids of added tokens follow the vocabulary: the library counts on, whatever another id the file gives. */
const checkAdded = (tokenizer: NativeTokenizer, json: TokenizerJson): void => {
  for (const { id, content } of addedTokensOf(json)) {
    const counted = tokenizer.tokenToId(content);
    if (counted === id) continue;
    throw dataError(
      'added-token-id',
      `tokenizer.json: added_tokens gives ${JSON.stringify(content)} the id ${id}, but ${counted === null ? 'no text can become it' : `it would be ${counted}`}: ` +
        'added tokens have the id of the vocabulary, or those that follow it without a gap; mend the ids',
    );
  }
};

/** What decant writes for the JavaScript library alone changes nothing here, but costs a fifth of the time. */
const withoutSplitAtMarks = (json: unknown): unknown => {
  const { type, pretokenizers } = partOf(json);
  if (type !== 'Sequence') return json;
  const [first, second, ...more] = listOf(pretokenizers);
  const marked = partOf(first).type === 'Metaspace' && partOf(first).split === true && more.length === 0;
  return marked && isDeepStrictEqual(second, splitAtMarks(String(partOf(first).replacement))) ? first : json;
};

/** Without what the file says about cutting and filling up, which are decant's own business, and about text from tokens. */
const forEncoding = (json: TokenizerJson): TokenizerJson => {
  const model = partOf(json.model);
  return {
    ...json,
    pre_tokenizer: withoutSplitAtMarks(json.pre_tokenizer),
    truncation: null,
    padding: null,
    decoder: null,
    model: { ...model, type: modelKindOf(model) },
  };
};

const opened = (json: TokenizerJson): NativeTokenizer => {
  try {
    return nativeTokenizer(forEncoding(json));
  } catch (cause) {
    if (!isRefusal(cause)) throw cause;
    const reason = cause.message.replace(/ at line \d+ column \d+$/, '');
    throw dataError('unreadable-tokenizer', `tokenizer.json cannot be used: ${reason}`);
  }
};

/** Types are held in bytes. */
const LARGEST_TYPE = 255;

const checkTypes = ({ post_processor }: TokenizerJson): void => {
  const type = largestType(post_processor);
  if (type <= LARGEST_TYPE) return;
  throw dataError(
    'token-type',
    `tokenizer.json: its post_processor gives tokens the type_id ${type}; expected none above ${LARGEST_TYPE}: most models have 2 types, 0 and 1`,
  );
};

interface Loaded {
  readonly tokenizer: NativeTokenizer;
  /** Whether a single text has types beside 0. */
  readonly typed: boolean;
  /** What an empty text becomes where nothing stands around it. */
  readonly filler: number;
}

const load = (json: TokenizerJson): Loaded => {
  const tokenizer = opened(json);
  checkAdded(tokenizer, json);
  checkTypes(json);
  return { tokenizer, typed: hasTypes(json.post_processor), filler: unknownOf(json) ?? 0 };
};

const encodedText = ({ typed, filler }: Loaded, [text, pair]: Split, encoding: Encoding, job: Job): EncodedText => {
  const all = encoding.getIds();
  const kept = all.length > job.maxLength ? keptTokens(encoding.getSequenceIds(), job.maxLength) : undefined;
  const ids = kept?.map((at) => all[at] ?? 0) ?? all;
  const types = typed || pair !== null ? encoding.getTypeIds() : [];
  const keptTypes = kept?.map((at) => types[at] ?? 0) ?? types;
  const cut = all.length - ids.length;
  return {
    ids: ids.length === 0 ? Int32Array.of(filler) : Int32Array.from(ids),
    ...(keptTypes.some((type) => type !== 0) ? { types: Uint8Array.from(keptTypes) } : {}),
    ...(job.about === 'words' ? placesOf(text, encoding, kept) : {}),
    ...(cut > 0 ? { cut } : {}),
  };
};

/** The words that the model of a tokenizer meets: what is left of texts that lie between added tokens. */
const metWords = async ({ tokenizer }: Loaded, texts: readonly string[]): Promise<readonly (readonly string[])[]> => {
  const encodings = await encodeOrName(
    tokenizer,
    texts.map((text) => [text, null]),
  );
  return encodings.map((encoding) => {
    const ids = encoding.getIds();
    return encoding.getTokens().filter((_, i) => ids[i] === 0);
  });
};

/** A tokenizer.json at work. */
export interface Worker {
  encode(texts: readonly TextInput[], job: Job, signal?: AbortSignal): Promise<readonly EncodedText[]>;
  /** What of each text its model would meet, if its vocabulary were the one token 0 that no text holds. */
  words(texts: readonly string[]): Promise<readonly (readonly string[])[]>;
}

export const workerOf = (json: TokenizerJson): Worker => {
  const own = load(json);
  return {
    encode: async (texts, job) => {
      const splits = texts.map(splitOf);
      const encodings = await encodeOrName(own.tokenizer, splits);
      return encodings.map((encoding, i) => encodedText(own, splits[i] ?? ['', null], encoding, job));
    },
    words: (texts) => metWords(own, texts),
  };
};
