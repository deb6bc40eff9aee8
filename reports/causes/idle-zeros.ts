import { percent } from '../figures.ts';
import { type Cause, matters, savingOf, written } from './cause.ts';
import { cutOf } from './done.ts';

/** Zeros that are multiplied like other numbers. */
export const idleZeros: Cause = {
  name: 'idle-zeros',
  about: 'time',
  looksAt: 'weights with more than 30 % zeros; timed again without as many whole inputs, and with numbers for zeros',
  advice:
    'prune whole heads, neurons and widths (prune: keep) where time counts; single zeros shrink the compressed file',
  advise: (done) => {
    const cut = cutOf(done, 'hidden', 'heads', 'ffn');
    return cut === ''
      ? idleZeros.advice
      : `the run has cut ${cut} already: cut more of them where time counts; single zeros shrink the compressed file`;
  },
  find: ({ model }) => {
    const [cut, dense] = [savingOf(model, 'cut'), savingOf(model, 'dense')];
    // A kernel that left zeros out would be slower on numbers.
    if (!matters(cut) || dense === undefined || -dense.ms > cut.ms / 2) return undefined;
    const elements = model.products.map(({ inner, columns }) => inner * columns);
    const all = elements.reduce((sum, n) => sum + n, 0);
    const zeros = model.products.reduce((sum, product, i) => sum + product.zeros * (elements[i] ?? 0), 0);
    return {
      finding: `${percent(zeros / all)} % of the weights in products are zeros, which no kernel leaves out`,
      evidence: `${written('with as many weights cut in whole inputs the graph', cut)}; with numbers for zeros it takes as long as now`,
      share: cut.share,
    };
  },
};
