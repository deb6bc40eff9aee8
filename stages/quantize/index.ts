import { z } from 'zod';
import { defineStage } from '../stage.ts';
import { foreseeQuantization } from './foresee.ts';

const config = z.strictObject({
  weights: z.literal('int8').default('int8').meta({ description: 'Integers that weights are stored as.' }),
  embeddings: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether embedding tables become 8-bit rows, too: most of the bytes of small models.' }),
  reduceRange: z
    .boolean()
    .default(false)
    .meta({ description: '7-bit weights, for x86 CPUs without VNNI, whose 8-bit products saturate.' }),
  exclude: z.array(z.string().min(1)).default([]).meta({
    description:
      'Names of weights that stay in float; * stands for any text, and a name that fits nothing is an error.',
  }),
});

export type Config = z.output<typeof config>;

/** Fuses the model for inference and stores it in 8-bit integers: what it writes is what ships. */
export const quantize = defineStage({
  uses: 'quantize',
  version: 6,
  summary: 'Stores weights in 8-bit integers and multiplies in 8 bits; fuses the graph as it will ship.',
  config,
  makes: 'model',
  stores: 'integers',
  takes: { model: 'floats' },
  draws: false,
  wire: () => ({}),
  foresee: (options, outlook) => foreseeQuantization(options, outlook),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
