import { isInBlocks } from '../../data/profile.ts';
import { type Cause, listed, matters, savingOf, written } from './cause.ts';

/** Weights in blocks of few bits, which become floats inside every product. */
export const blockProducts: Cause = {
  name: 'block-products',
  about: 'time',
  looksAt: 'products by weights in blocks, timed again in float32',
  advice:
    'blocks are for small files and where one token comes after the other: for whole texts on CPUs int8 is the fastest format',
  find: ({ model }) => {
    const [blocks, inFloat] = [model.products.filter(isInBlocks), savingOf(model, 'float')];
    if (blocks.length === 0 || !matters(inFloat)) return undefined;
    const [largest] = blocks.toSorted((a, b) => b.inner * b.columns - a.inner * a.columns);
    return {
      finding: `${blocks.length} matrix products take longer by ${largest?.dtype} than in float32`,
      evidence: `${written('in float32 the same graph', inFloat)}; ${listed(blocks.map(({ weight }) => weight))}`,
      share: inFloat.share,
    };
  },
};
