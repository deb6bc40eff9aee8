import { allKept, type Reading, readOn } from '../../engine/decoding.ts';
import type { Program } from '../../engine/engine.ts';
import { nothingRead } from '../../engine/feeds.ts';
import { stageError } from '../../ground/errors.ts';
import { joinedFloats } from '../../ground/joined.ts';
import { type Model, tokensIn } from '../../models/model.ts';

/** Sums in another order, for each unit of the largest score. */
const ROUNDING = 1e-5;

const differenceOf = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs((a[i] as number) - (b[i] as number)));
  return most;
};

const largest = (numbers: ArrayLike<number>): number => differenceOf(numbers, new Float32Array(numbers.length));

/** One prompt and more behind it: where it is cut. */
const pieces = [0, 0.5, 0.75, 0.9, 1];

/** Scores of all positions of a text that is read in pieces, each behind what is remembered of those before. */
const inPieces = async (program: Program, model: Model, ids: Int32Array): Promise<Float32Array> => {
  const cuts = [...new Set(pieces.map((share) => Math.round(share * ids.length)))];
  const scores: Float32Array[] = [];
  let past = nothingRead(model.info.signature, 1);
  for (const [i, end] of cuts.slice(1).entries()) {
    const tokens = [ids.subarray(cuts[i], end)];
    const read = await readOn(program, model, { tokens, masks: [allKept(end)], past, last: 0 });
    scores.push(read.scores);
    past = read.past;
  }
  return joinedFloats(scores);
};

/** Two texts, the shorter one behind padding: what is asked of both about their last token. */
const padded = (long: Int32Array, short: Int32Array, filler: number): Pick<Reading, 'tokens' | 'masks'> => {
  const empty = long.length - short.length;
  return {
    tokens: [long, Int32Array.from({ length: long.length }, (_, i) => (i < empty ? filler : (short[i - empty] ?? 0)))],
    masks: [allKept(long.length), Uint8Array.from({ length: long.length }, (_, i) => Number(i >= empty))],
  };
};

const expectSame = (what: string, given: Float32Array, wanted: Float32Array): void => {
  const difference = differenceOf(given, wanted);
  const bound = ROUNDING * Math.max(1, largest(wanted));
  if (difference <= bound) return;
  throw stageError(
    `${what}: its scores differ by ${difference.toExponential(1)}, more than the ${bound.toExponential(1)} that rounding makes; nothing was exported`,
  );
};

/**
 * Refuses a decoder that says something else where it goes on from what it remembers than where it reads a text at once, or
 * beside a longer text than alone.
 */
export const expectRemembering = async (program: Program, model: Model, ids: Int32Array): Promise<void> => {
  const { signature, processor } = model.info;
  const alone = async (tokens: Int32Array, last: number) => {
    const reading = { tokens: [tokens], masks: [allKept(tokens.length)], past: nothingRead(signature, 1), last };
    return (await readOn(program, model, reading)).scores;
  };
  expectSame('a text in pieces is not the same as at once', await inPieces(program, model, ids), await alone(ids, 0));
  const short = ids.subarray(0, Math.ceil(ids.length / 3));
  const both = padded(ids, short, tokensIn(processor).padding);
  const beside = await readOn(program, model, { ...both, past: nothingRead(signature, 2), last: 1 });
  expectSame(
    'a text behind padding is not the same as alone',
    beside.scores,
    joinedFloats([await alone(ids, 1), await alone(short, 1)]),
  );
};
