import { z } from 'zod';
import { evaluationMetrics } from '../../ground/reported/evaluation.ts';
import { defineStage } from '../stage.ts';

const config = z.strictObject({
  client: z.boolean().default(true).describe('whether the test texts go through the tokenizer of transformers.js, too'),
});

export type Config = z.output<typeof config>;

export type Reported = z.infer<typeof evaluationMetrics>;

/**
 * Runs a model over the test split and keeps what it said about every example. Quantized models run at batch 1 without
 * padding: a dynamic activation scale spans its whole batch, so batching would change the result.
 */
export const evaluate = defineStage({
  uses: 'evaluate',
  version: 9,
  summary: 'Predictions on the test split, sizes and multiply-accumulates of a model.',
  config,
  place: 'each-model',
  automatic: { options: (_, { meetsClients }) => (meetsClients ? {} : { client: false }) },
  metrics: evaluationMetrics,
  makes: 'predictions',
  draws: false,
  choosesEngine: true,
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  effort: (_, { test }) => ({ asked: test, compressed: 1 }),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
