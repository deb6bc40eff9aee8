import { allKept, type Read, type Reading, readOn } from '../../engine/decoding.ts';
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

const boundOf = (wanted: Float32Array, rounding = ROUNDING): number => rounding * Math.max(1, largest(wanted));

/** Whether scores are the same up to what rounding makes for each unit of the largest. */
export const isNear = (given: Float32Array, wanted: Float32Array, rounding = ROUNDING): boolean =>
  differenceOf(given, wanted) <= boundOf(wanted, rounding);

/** Refuses scores that differ by more than rounding makes. */
export const expectSame = (what: string, given: Float32Array, wanted: Float32Array): void => {
  const difference = differenceOf(given, wanted);
  const bound = boundOf(wanted);
  if (difference <= bound) return;
  throw stageError(
    `${what}: its scores differ by ${difference.toExponential(1)}, more than the ${bound.toExponential(1)} that rounding makes; nothing was exported`,
  );
};

/** A third of a text, which stands behind padding beside the whole. */
const shorter = (ids: Int32Array): Int32Array => ids.subarray(0, Math.ceil(ids.length / 3));

const readBoth = async (program: Program, model: Model, ids: Int32Array): Promise<Read> => {
  const { signature, processor } = model.info;
  const both = padded(ids, shorter(ids), tokensIn(processor).padding);
  return await readOn(program, model, { ...both, past: nothingRead(signature, 2), last: 1 });
};

/** Scores of a text in pieces, of two of which one stands behind padding, and of the token behind each. */
export const scoresThroughout = async (program: Program, model: Model, ids: Int32Array): Promise<Float32Array> => {
  const before = ids.subarray(0, -1);
  const both = await readBoth(program, model, before);
  const masks = padded(before, shorter(before), 0).masks.map((mask) => [...Array.from(mask), 1]);
  const next = [ids.subarray(-1), ids.subarray(-1)];
  const behind = await readOn(program, model, { tokens: next, masks, past: both.past, last: 1 });
  return joinedFloats([await inPieces(program, model, ids), both.scores, behind.scores]);
};

/**
 * Refuses a decoder that says something else where it goes on from what it remembers than where it reads a text at once, or
 * beside a longer text than alone.
 */
export const expectRemembering = async (program: Program, model: Model, ids: Int32Array): Promise<void> => {
  const { signature } = model.info;
  const alone = async (tokens: Int32Array, last: number) => {
    const reading = { tokens: [tokens], masks: [allKept(tokens.length)], past: nothingRead(signature, 1), last };
    return (await readOn(program, model, reading)).scores;
  };
  expectSame('a text in pieces is not the same as at once', await inPieces(program, model, ids), await alone(ids, 0));
  const beside = await readBoth(program, model, ids);
  expectSame(
    'a text behind padding is not the same as alone',
    beside.scores,
    joinedFloats([await alone(ids, 1), await alone(shorter(ids), 1)]),
  );
};
