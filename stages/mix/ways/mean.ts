import { logSumExp, type Rows, spreadRow } from '../../../data/rows.ts';
import { logitOf, probabilityOf } from '../../../data/sets.ts';
import type { Answer } from '../../../ground/tasks.ts';
import type { Way } from './way.ts';

/** A probability is told from 0 and 1 by at least this. */
const LEAST = 1e-7;

/** Numbers of one teacher as they can be added up. */
const addable: Readonly<Record<Answer, (numbers: Float32Array) => void>> = {
  choice: (logits) => {
    const total = logSumExp(logits);
    for (let i = 0; i < logits.length; i++) logits[i] = Math.exp((logits[i] as number) - total);
  },
  token: (logits) => addable.choice(logits),
  set: (logits) => {
    for (let i = 0; i < logits.length; i++) logits[i] = probabilityOf(logits[i] as number);
  },
  number: () => undefined,
  vector: (numbers) => {
    const norm = Math.hypot(...numbers);
    for (let i = 0; i < numbers.length; i++) numbers[i] = (numbers[i] as number) / Math.max(norm, LEAST);
  },
};

/** Their sum as a model would have said it. */
const asSaid: Readonly<Record<Answer, (sum: number) => number>> = {
  choice: (p) => Math.log(Math.max(p, LEAST)),
  token: (p) => Math.log(Math.max(p, LEAST)),
  set: (p) => logitOf(Math.min(1 - LEAST, Math.max(LEAST, p))),
  number: (sum) => sum,
  vector: (sum) => sum,
};

const numbersOf = (rows: Rows, row: number, into: Float32Array): Float32Array => {
  spreadRow(rows, row, into);
  return into;
};

/**
 * The weighted mean of what they say: p = sum_k w_k p_k of probabilities (log p are the logits of the one teacher), of
 * numbers themselves, and of vectors of length 1. Hinton, Vinyals and Dean 2015, section 3 of arXiv:1503.02531.
 */
export const mean: Way = {
  name: 'mean',
  summary: 'the weighted mean of their probabilities, numbers or vectors',
  answers: ['choice', 'set', 'number', 'vector'],
  validates: false,
  mix: ({ answer, rows, weights }) => {
    const own = new Float32Array(rows[0]?.width ?? 0);
    const sums = new Float64Array(own.length);
    return {
      put: (row, read, into) => {
        const heard = read.reduce((sum, k) => sum + (weights[k] ?? 0), 0);
        sums.fill(0);
        for (const k of read) {
          const share = (weights[k] ?? 0) / heard;
          addable[answer](numbersOf(rows[k] as Rows, row, own));
          for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + share * (own[i] as number);
        }
        for (let i = 0; i < into.length; i++) into[i] = asSaid[answer](sums[i] as number);
      },
    };
  },
};
