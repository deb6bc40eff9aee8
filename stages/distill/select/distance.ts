import { cosineOf } from '../../../data/cosine.ts';
import { isUnread, logSumExp, type Rows, spreadRow } from '../../../data/rows.ts';
import { probabilityOf } from '../../../data/sets.ts';
import type { Answer } from '../../../ground/tasks.ts';
import type { Candidates } from './selection.ts';

type Distance = (wanted: Float32Array, given: Float32Array) => number;

/** KL(p || q) of two distributions that are given as logits. */
const divergence: Distance = (wanted, given) => {
  const [ofWanted, ofGiven] = [logSumExp(wanted), logSumExp(given)];
  return wanted.reduce((sum, t, c) => {
    const logP = t - ofWanted;
    return sum + Math.exp(logP) * (logP - ((given[c] ?? 0) - ofGiven));
  }, 0);
};

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** The mean of KL(p || q) over classes that are had or not. */
const bernoulli: Distance = (wanted, given) =>
  wanted.reduce((sum, t, c) => {
    const z = given[c] ?? 0;
    return sum + probabilityOf(t) * (t - z) + softplus(z) - softplus(t);
  }, 0) / wanted.length;

/** How far one answer is from another that was wanted. */
const distances: Readonly<Record<Answer, Distance>> = {
  choice: divergence,
  token: divergence,
  set: bernoulli,
  number: (wanted, given) => ((wanted[0] ?? 0) - (given[0] ?? 0)) ** 2,
  vector: (wanted, given) => 1 - cosineOf(wanted, 0, given, 0, wanted.length),
};

/** Of each text the mean distance of what is said about it from what is wanted, over answers that both gave. */
export const meanDistances = (
  { answer, count, starts }: Pick<Candidates, 'answer' | 'count' | 'starts'>,
  wanted: Rows,
  given: Rows,
): Float64Array => {
  const [a, b] = [new Float32Array(wanted.width), new Float32Array(given.width)];
  const all = starts();
  return Float64Array.from({ length: count }, (_, text) => {
    let [sum, read] = [0, 0];
    for (let row = all[text] as number; row < (all[text + 1] as number); row++) {
      if (isUnread(wanted, row) || isUnread(given, row)) continue;
      spreadRow(wanted, row, a);
      spreadRow(given, row, b);
      sum += distances[answer](a, b);
      read++;
    }
    return read === 0 ? 0 : sum / read;
  });
};
