import { joinedFloats } from '../ground/joined.ts';
import type { Model } from '../models/model.ts';
import { answerName, answerPort, type Signature } from '../models/signature.ts';
import type { Feeds, HostTensor, Program } from './engine.ts';

/** What a decoder remembers, by the names of the inputs that it goes on from. */
type Remembered = Feeds;

/** Rows that are read together: as many tokens each, and for all that they remember and read whether it is no padding. */
export interface Reading {
  readonly tokens: readonly ArrayLike<number>[];
  readonly masks: readonly ArrayLike<number>[];
  readonly past: Remembered;
  /** How many of the last positions are answered about; all where it is 0. */
  readonly last: number;
}

/** Scores of the vocabulary, (rows, answered positions, vocabulary), and what is remembered then. */
export interface Read {
  readonly scores: Float32Array;
  readonly vocabulary: number;
  readonly past: Remembered;
}

/** Whole numbers as a graph reads them. */
export const wholeNumbers = (dims: readonly number[], numbers: Iterable<number>): HostTensor => ({
  ...{ dtype: 'int64', dims, data: BigInt64Array.from(numbers, BigInt) },
});

/** Positions of the last tokens of a row: tokens before them that are no padding. */
const positionsIn = (mask: ArrayLike<number>, length: number): readonly number[] => {
  let seen = 0;
  const positions = Array.from(mask, (kept) => {
    seen += kept;
    return Math.max(0, seen - 1);
  });
  return positions.slice(-length);
};

/** A mask of so many positions without padding. */
export const allKept = (count: number): Uint8Array => new Uint8Array(count).fill(1);

/** What a decoder is fed to read tokens behind what is remembered. */
export const feedsToRead = ({ inputs }: Signature, { tokens, masks, past, last }: Reading): Feeds => {
  const [rows, length] = [tokens.length, tokens[0]?.length ?? 0];
  const flat = (of: readonly ArrayLike<number>[]) => of.flatMap((row) => Array.from(row));
  const fed: Record<string, () => HostTensor> = {
    tokens: () => wholeNumbers([rows, length], flat(tokens)),
    mask: () => wholeNumbers([rows, masks[0]?.length ?? 0], flat(masks)),
    positions: () => wholeNumbers([rows, length], flat(masks.map((mask) => positionsIn(mask, length)))),
    last: () => wholeNumbers([], [last]),
  };
  const feeds: Record<string, HostTensor> = { ...past };
  for (const { name, role } of inputs) {
    const make = fed[role];
    if (make === undefined) throw new Error(`a decoder is not fed ${role}`);
    feeds[name] = make();
  }
  return feeds;
};

/** Scores of the last positions of each row, of a graph that scores more of them than it was asked for. */
const lastOf = (scores: Float32Array, [length, asked, vocabulary]: readonly [number, number, number]): Float32Array => {
  if (length === asked) return scores;
  const rows = scores.length / (length * vocabulary);
  const ends = Array.from({ length: rows }, (_, row) => (row + 1) * length * vocabulary);
  return joinedFloats(ends.map((end) => scores.subarray(end - asked * vocabulary, end)));
};

/** The scores among what a decoder puts out, of so many of the last positions of each row; 0 for all. */
export const scoresIn = (signature: Signature, outputs: Feeds, last: number): Pick<Read, 'scores' | 'vocabulary'> => {
  const scores = outputs[answerName(signature)];
  if (!(scores?.data instanceof Float32Array)) throw new Error('a decoder answers by float32 scores');
  const [vocabulary, length] = [scores.dims.at(-1) ?? 0, scores.dims.at(-2) ?? 0];
  const asked = last === 0 ? length : Math.min(last, length);
  return { scores: lastOf(scores.data, [length, asked, vocabulary]), vocabulary };
};

/** Reads tokens behind what is remembered. */
export const readOn = async (
  program: Pick<Program, 'run'>,
  { info }: Pick<Model, 'info'>,
  reading: Reading,
): Promise<Read> => {
  const { signature } = info;
  const outputs = await program.run(feedsToRead(signature, reading));
  const past: Record<string, HostTensor> = {};
  for (const { past: name, present } of signature.states) {
    const kept = outputs[present];
    if (kept === undefined) throw new Error(`the decoder gave no '${present}'`);
    past[name] = kept;
  }
  return { ...scoresIn(signature, outputs, reading.last), past };
};

/** Whether a model keeps what it has read. */
export const remembers = ({ info: { signature } }: Pick<Model, 'info'>): boolean =>
  signature.states.length > 0 && answerPort(signature).axes.includes('sequence');
