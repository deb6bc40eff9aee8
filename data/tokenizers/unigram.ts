import { modelError } from '../../ground/errors.ts';
import type { TokenizerJson } from '../tokenizer.ts';

export interface UnigramOptions {
  /** Id that stands for characters no piece covers. */
  readonly unknown: number;
  /** Ids 0 to reserved - 1 are control symbols that no text is cut into. */
  readonly reserved: number;
}

/** SentencePiece's mark of a space. */
const SPACE = '\u2581';

/** The JavaScript library does not split at marks by itself; in the Rust library, behind Metaspace, this one changes nothing. */
export const splitAtMarks = (mark: string): TokenizerJson => ({
  type: 'Split',
  pattern: { Regex: `${mark}[^${mark}]*` },
  behavior: 'Isolated',
  invert: false,
});

/** So far below every piece that a control symbol loses to any other way of spelling its name. */
const RESERVED_SCORE = -1000;

/** Pieces may span only what one pre-token holds, so a mark inside a piece would be lost by cutting at spaces. */
const checkPieces = (vocabulary: readonly (readonly [string, number])[]): void => {
  const across = vocabulary.find(([piece]) => piece.indexOf(SPACE, 1) > 0);
  if (across !== undefined) throw modelError(`the unigram piece '${across[0]}' spans a space, which is not supported`);
};

/**
 * tokenizer.json of a SentencePiece unigram vocabulary (Kudo 2018, arXiv 1804.10959): NFKC, one mark in front, spaces to
 * marks, the best-scoring cut of each word. Of repeated pieces the last counts.
 */
export const unigramTokenizer = (
  vocabulary: readonly (readonly [piece: string, score: number])[],
  { unknown, reserved }: UnigramOptions,
): TokenizerJson => {
  checkPieces(vocabulary);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: {
      type: 'Sequence',
      normalizers: [{ type: 'NFKC' }, { type: 'Prepend', prepend: SPACE }],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Metaspace', replacement: SPACE, prepend_scheme: 'never', split: true },
        splitAtMarks(SPACE),
      ],
    },
    post_processor: null,
    decoder: { type: 'Metaspace', replacement: SPACE, prepend_scheme: 'always', split: true },
    model: {
      type: 'Unigram',
      unk_id: unknown,
      byte_fallback: false,
      vocab: vocabulary.map(([piece, score], id) => [piece, id < reserved ? RESERVED_SCORE : score]),
    },
  };
};
