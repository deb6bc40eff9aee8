import { isUnread, logSumExp, type Rows, spreadRow } from '../../../data/rows.ts';
import type { Way } from './way.ts';

/** Temperatures that are tried, a tenth apart in their logarithm, and then between the neighbours of the best. */
const [COLDEST, HOTTEST, STEPS, ROUNDS] = [Math.log(0.05), Math.log(20), 24, 4];

const scaled = (rows: Rows, row: number, temperature: number, into: Float32Array): void => {
  spreadRow(rows, row, into);
  for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) / temperature;
};

/** Mean of -log p of the right classes at a temperature. */
const surprise = (rows: Rows, targets: readonly number[], temperature: number): number => {
  const logits = new Float32Array(rows.width);
  let [sum, count] = [0, 0];
  for (const [row, target] of targets.entries()) {
    if (isUnread(rows, row) || target < 0) continue;
    scaled(rows, row, temperature, logits);
    sum += logSumExp(logits) - (logits[target] as number);
    count++;
  }
  return sum / Math.max(1, count);
};

/** The temperature at which a teacher is as sure as it is right: T = argmin_T -sum log softmax(z / T)_y. */
export const temperatureOf = (rows: Rows, targets: readonly number[]): number => {
  let [low, high, best] = [COLDEST, HOTTEST, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const step = (high - low) / STEPS;
    const tried = Array.from({ length: STEPS + 1 }, (_, i) => low + i * step);
    const lost = tried.map((log) => surprise(rows, targets, Math.exp(log)));
    best = tried[lost.indexOf(Math.min(...lost))] ?? 0;
    [low, high] = [best - step, best + step];
  }
  return Math.exp(best);
};

/**
 * Of each example the teacher that is surest of it, where each is as sure as it is right on validation texts: logits over a
 * temperature that is fitted to them (Guo, Pleiss, Sun and Weinberger 2017, arXiv:1706.04599).
 */
export const best: Way = {
  name: 'best',
  summary: 'of each text the teacher that is surest of it, as sure as it is right on validation texts',
  answers: ['choice'],
  validates: true,
  mix: ({ rows }, known) => {
    if (known === undefined) throw new Error('the best of teachers is told by validation texts');
    const temperatures = known.rows.map((said) => temperatureOf(said, known.targets));
    const chosen = rows.map(() => 0);
    const own = new Float32Array(rows[0]?.width ?? 0);
    return {
      put: (row, read, into) => {
        let [who, surest] = [-1, Number.NEGATIVE_INFINITY];
        for (const k of read) {
          scaled(rows[k] as Rows, row, temperatures[k] ?? 1, own);
          const sure = Math.max(...own) - logSumExp(own);
          if (sure <= surest) continue;
          [who, surest] = [k, sure];
          into.set(own);
        }
        chosen[who] = (chosen[who] ?? 0) + 1;
      },
      found: { temperatures, chosen },
    };
  },
};
