import type { ProfiledProduct } from '../../data/profile.ts';
import { type Cause, listed, matters, savingOf, written } from './cause.ts';

const reasonOf = ({ weight, kept }: ProfiledProduct): string => `${weight} (${kept ?? 'quantize would take it'})`;

/** Matrix products that compute in float32, and why each does. */
export const floatProducts: Cause = {
  name: 'float-products',
  about: 'time',
  looksAt: 'products whose weight is float32, timed again in 8 bits (signed weights, a scale a column)',
  advice: 'add a quantize stage',
  advise: ({ quantized, quantizedWith, quantizedBy }) => {
    if (quantizedWith.has('exclude')) return 'see the exclude of the quantize stage, which left some of them in float';
    if (quantized) return 'the quantize stage of this run left them in float, each for the reason that stands with it';
    return quantizedBy.length === 0
      ? floatProducts.advice
      : `${quantizedBy.join(', ')} of this run does them in 8 bits`;
  },
  find: ({ model }) => {
    const inFloat = model.products.filter(({ dtype }) => dtype === 'float32');
    const saving = savingOf(model, 'quantized');
    if (inFloat.length === 0 || !matters(saving)) return undefined;
    const all = inFloat.length === model.products.length;
    const largest = inFloat.toSorted((a, b) => b.inner * b.columns - a.inner * a.columns);
    return {
      finding: `${all ? 'all' : `${inFloat.length} of`} ${model.products.length} matrix products compute in float32`,
      evidence: `${written('in 8 bits the same graph', saving)}; ${listed(largest.map(reasonOf))}`,
      share: saving.share,
    };
  },
};
