import { stream } from '../../../data/random.ts';
import type { Criterion } from './criterion.ts';

const uniform = (seed: number, purpose: string, count: number): Float64Array => {
  const random = stream(seed, 'prune', 'random', purpose);
  return Float64Array.from({ length: count }, () => random.uniform());
};

/** I(u) ~ U(0, 1): the control. A criterion that does not beat it has measured nothing. */
export const random: Criterion = {
  name: 'random',
  summary: 'random scores, the control',
  needsExamples: false,
  scoreParts: async ({ seed }, parts) => new Map(parts.map((part) => [part, uniform(seed, part.name, part.count)])),
  scoreLayers: async ({ seed }, layers) => uniform(seed, 'layers', layers.length),
};
