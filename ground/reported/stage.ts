import { z } from 'zod';
import type { Immutable } from '../immutable.ts';
import { trainingSummary } from './training.ts';

/** What any stage may say to its user, once, in the report. */
export const notes = z.array(z.string()).exactOptional();

/** Where a reader puts the path of an exported folder. */
export const FOLDER = './path/to/this/folder';

/** Lines of code that use an exported folder, which they call so. */
export const usage = z.looseObject({ node: z.string(), browser: z.string(), python: z.string() }).exactOptional();

/** What the report reads of whatever stage: how it was trained, where that is what it does, and its notes. */
export const stageMetrics = z.looseObject({
  training: trainingSummary.exactOptional(),
  quantization: z.unknown().optional().describe('What became of its weights: see quantization.ts.'),
  notes,
  usage,
  hub: z.unknown().optional().describe('Of what was downloaded: such steps wait for others, they compute nothing.'),
});

export type StageMetrics = Immutable<z.infer<typeof stageMetrics>>;
