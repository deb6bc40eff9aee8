import type { Conformant } from './conformance.ts';

/** Float32 in another order, and an error function whose polynomial is good to 1.5e-7. */
export const tensorflowSettings: Pick<Conformant, 'tolerance' | 'lacks'> = {
  tolerance: { sample: 1e-5, graph: 1e-4 },
  lacks: [
    'Cast since 9: to float64',
    ...['com.microsoft:MatMulNBits since 1', 'com.microsoft:GatherBlockQuantized since 1'],
  ],
};
