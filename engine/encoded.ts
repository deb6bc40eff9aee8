import type { Pixels } from '../data/dataset.ts';
import type { EncodedText } from '../data/tokenize.ts';

/** Whole numbers along a sequence, or the samples of an image. */
type Whole = Int32Array | Uint8Array;

/** An example as a model reads it: what each of its inputs takes, by the role of the input (models/signature.ts). */
export interface Encoded {
  /** Positions of its sequence; batches are filled up to the longest. 1 of what is no sequence. */
  readonly length: number;
  /**
   * Left out is what follows from the length (mask, positions), and what is 0 everywhere. Roles that no input has feed nothing:
   * `original` is what tokens were where some are hidden, `continued` is 1 where a token goes on with the word of the one before,
   * `next` is the token that follows each. Of an answer that is written these are its own: `written` and `next` are as long as it is.
   */
  readonly byRole: Readonly<Record<string, Whole>>;
  /** Positions that are answered about, of what is written where there is an answer to write, -1 for one that was cut off; left out where there is one answer about the whole. */
  readonly places?: Int32Array;
  /** Tokens that did not fit into the length; left out where all did. */
  readonly cut?: number;
  /** The number of the text that it is a stretch of, where texts are several sequences. */
  readonly text?: number;
}

/** The number of the text that a sequence is, or is a stretch of. */
export const textNumber = (examples: readonly Encoded[], sequence: number): number =>
  examples[sequence]?.text ?? sequence;

export const encodedText = ({ ids, types, words, continued, cut }: EncodedText): Encoded => ({
  length: ids.length,
  byRole: {
    tokens: ids,
    ...(types === undefined ? {} : { segments: types }),
    ...(continued === undefined ? {} : { continued }),
  },
  ...(words === undefined ? {} : { places: words }),
  ...(cut === undefined ? {} : { cut }),
});

/** The channels of an image one after the other, each by rows from the top. */
const byChannel = ({ height, width, channels, data }: Pixels): Uint8Array => {
  if (channels === 1) return data;
  const area = height * width;
  const apart = new Uint8Array(data.length);
  for (let at = 0; at < area; at++)
    for (let channel = 0; channel < channels; channel++)
      apart[channel * area + at] = data[at * channels + channel] as number;
  return apart;
};

export const encodedImage = (pixels: Pixels): Encoded => ({ length: 1, byRole: { pixels: byChannel(pixels) } });

const none = new Int32Array();

export const tokensOf = ({ byRole }: Encoded): Whole => byRole.tokens ?? none;

/** Positions of the longest answer that is written to some examples; 1 where there is none. */
export const targetLength = (examples: readonly Encoded[], rows: Iterable<number>): number => {
  let most = 1;
  for (const row of rows) most = Math.max(most, examples[row]?.byRole.written?.length ?? 1);
  return most;
};

/** The example with its tokens as the text has them, whatever stands in their place. */
export const asWritten = (example: Encoded): Encoded => {
  const { original, ...roles } = example.byRole;
  return original === undefined ? example : { ...example, byRole: { ...roles, tokens: original } };
};
