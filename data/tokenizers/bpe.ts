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

const tokenizerJson = (tokens: readonly string[], merges: readonly Merge[]): TokenizerJson =>
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

/**
 * Trains byte-level BPE (Radford et al. 2019, "Language models are unsupervised multitask learners") and gives the
 * tokenizer.json. No text is unknown to it. Equal texts give equal bytes, whatever their order.
 */
export const trainByteBpe = (texts: Iterable<string>, options: TrainOptions): TokenizerJson => {
  const { minFrequency = DEFAULT_MIN_FREQUENCY } = options;
  const size = room(options);
  if (size < BYTES) throw modelError(`a byte-level vocabulary needs at least ${BYTES} tokens beside the special ones`);
  const alphabet = byteAlphabet();
  const words = countWords(texts, tokenizerJson([], []));
  // The whole byte alphabet belongs to the vocabulary, seen or not.
  const all = new Map([...words, ...alphabet.map((byte) => [byte, words.get(byte) ?? 0] as const)]);
  const { symbols, merges } = learnMerges(all, (word) => Array.from(word), {
    size,
    minFrequency,
    join: (left, right) => left + right,
  });
  return tokenizerJson(symbols, merges);
};
