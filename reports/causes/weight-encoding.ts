import { type Cause, isInteger, listed, matters, savingOf, written } from './cause.ts';

/** 8-bit weights in an encoding that costs time (unsigned) or accuracy (one scale for all columns). */
export const weightEncoding: Cause = {
  name: 'weight-encoding',
  about: 'time',
  looksAt: 'element type and scales of 8-bit weights; unsigned ones are timed again as signed ones',
  advice: 'quantize with signed weights and a scale for every output column, as the quantize stage does',
  find: ({ model }) => {
    const integers = model.products.filter(isInteger);
    const unsigned = integers.filter(({ dtype }) => dtype === 'uint8');
    const saving = savingOf(model, 'signed');
    if (unsigned.length > 0 && matters(saving)) {
      return {
        finding: `${unsigned.length} of ${integers.length} 8-bit weights are unsigned`,
        evidence: `${written('with the same numbers signed the graph', saving)}; ${listed(unsigned.map(({ weight }) => weight))}`,
        share: saving.share,
      };
    }
    const shared = integers.filter(({ perChannel }) => perChannel === false);
    return shared.length === 0
      ? undefined
      : {
          finding: `${shared.length} of ${integers.length} 8-bit weights have one scale for all columns`,
          evidence: `a scale for every column costs no time on the same kernel, and keeps accuracy; ${listed(shared.map(({ weight }) => weight))}`,
          share: null,
        };
  },
};
