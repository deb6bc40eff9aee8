import type { Criterion } from './criterion.ts';

const uniform = async (seed: number, purpose: string, count: number): Promise<Float64Array> => {
  const { stream } = await import('../../../data/random.ts');
  const random = stream(seed, 'prune', 'random', purpose);
  return Float64Array.from({ length: count }, () => random.uniform());
};

/** I(u) ~ U(0, 1): the control. A criterion that does not beat it has measured nothing. */
export const random: Criterion = {
  name: 'random',
  summary: 'random scores, the control',
  needsExamples: false,
  scoreParts: async ({ seed }, parts) =>
    new Map(await Promise.all(parts.map(async (part) => [part, await uniform(seed, part.name, part.count)] as const))),
  scoreLayers: async ({ seed }, layers) => uniform(seed, 'layers', layers.length),
};
