import { z } from 'zod';
import type { Precision } from '../../models/files.ts';
import { defineStage } from '../stage.ts';

const config = z.strictObject({
  to: z.literal('transformers-js').default('transformers-js').meta({ description: 'Layout of the folder.' }),
});

export type Config = z.output<typeof config>;

export const precisions: readonly Precision[] = ['fp32', 'q8'];

/** Writes a folder that transformers.js loads, in Node and in browsers. */
export const exportStage = defineStage({
  uses: 'export',
  version: 6,
  summary: 'A folder that @huggingface/transformers loads: ONNX files, tokenizer, config and model card.',
  config,
  makes: 'folder',
  draws: false,
  from: precisions,
  takes: { fp32: 'floats', q8: 'integers' },
  wire: () => ({}),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
