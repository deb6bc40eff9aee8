import { modelError } from '../../ground/errors.ts';
import type { TokenizerJson } from '../tokenizer.ts';
import { learnMerges, type Merge } from './merges.ts';
import { countWords, DEFAULT_MIN_FREQUENCY, frame, numbered, room, special, type TrainOptions } from './vocabulary.ts';

const BYTES = 256;

/** Bytes that GPT-2 writes as themselves: printable characters of Latin-1; the others become U+0100 and up, in order. */
const isPrintable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);

const byteAlphabet = (): readonly string[] => {
  let next = BYTES;
  return Array.from({ length: BYTES }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++)).sort();
};

/** A tokenizer.json of these tokens. */
type Written = (tokens: readonly string[], merges: readonly Merge[]) => TokenizerJson;

const tokenizerJson: Written = (tokens, merges) =>
  frame({
    normalizer: { type: 'NFC' },
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: special.unknown,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: numbered(tokens),
      merges,
    },
  });

/** Learns merges of bytes, with room for `size` tokens beside special ones. */
const learnt = (
  texts: Iterable<string>,
  { size, minFrequency = DEFAULT_MIN_FREQUENCY }: TrainOptions,
  written: Written,
): TokenizerJson => {
  if (size < BYTES) throw modelError(`a byte-level vocabulary needs at least ${BYTES} tokens beside the special ones`);
  const alphabet = byteAlphabet();
  const words = countWords(texts, written([], []));
  // The whole byte alphabet belongs to the vocabulary, seen or not.
  const all = new Map([...words, ...alphabet.map((byte) => [byte, words.get(byte) ?? 0] as const)]);
  const { symbols, merges } = learnMerges(all, (word) => Array.from(word), {
    size,
    minFrequency,
    join: (left, right) => left + right,
  });
  return written(symbols, merges);
};

/**
 * Trains byte-level BPE (Radford et al. 2019, "Language models are unsupervised multitask learners") and gives the
 * tokenizer.json. No text is unknown to it. Equal texts give equal bytes, whatever their order.
 */
export const trainByteBpe = (texts: Iterable<string>, options: TrainOptions): TokenizerJson =>
  learnt(texts, { ...options, size: room(options) }, tokenizerJson);

/** The token that texts of decoders begin and end with, which fills batches, too. */
export const endOfText = '<|endoftext|>';

/** The token by its id. */
export const endOfTextId = 0;

/** GPT-2's way with bytes: nothing is normalised and nothing put in front, so that tokens give back the very text. */
const decoderJson: Written = (tokens, merges) => {
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const end = { SpecialToken: { id: endOfText, type_id: 0 } };
  const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  return {
    ...{ version: '1.0', truncation: null, padding: null },
    added_tokens: [
      {
        ...{ id: endOfTextId, content: endOfText, special: true },
        ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
      },
    ],
    normalizer: null,
    pre_tokenizer: bytes,
    post_processor: {
      type: 'TemplateProcessing',
      single: [end, sequence('A', 0)],
      // What is answered is told from what was asked.
      pair: [end, sequence('A', 0), sequence('B', 1)],
      special_tokens: { [endOfText]: { id: endOfText, ids: [endOfTextId], tokens: [endOfText] } },
    },
    decoder: bytes,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries([endOfText, ...tokens].map((token, id) => [token, id])),
      merges,
    },
  };
};

/** The same for a decoder: its one special token stands in front of every text. */
export const trainDecoderBpe = (texts: Iterable<string>, options: TrainOptions): TokenizerJson =>
  learnt(texts, { ...options, size: options.size - 1 }, decoderJson);
