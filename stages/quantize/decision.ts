import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Choice } from '../../graph/quantize/choose.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readText } from '../../ground/whole-file.ts';
import { jsonText } from '../../models/files.ts';

/** What became of each float weight, beside the model: asked again with other options, choosing would give another answer. */
const FILE = 'quantization.json';

const schema = z.object({
  schema: z.literal('decant.quantization/1'),
  weights: z.record(
    z.string(),
    z.union([
      z.object({ form: z.enum(['linear', 'table', 'stored']) }),
      z.object({
        form: z.literal('blocks'),
        use: z.enum(['product', 'table', 'both']),
        layout: z.enum(['as it is', 'turned']),
        grid: z.object({
          bits: z.union([z.literal(2), z.literal(4), z.literal(8)]),
          block: z.int(),
          zeroPoint: z.boolean(),
        }),
      }),
      z.object({ kept: z.string() }),
    ]),
  ),
});

/** Choices by the name of the weight in the fused graph. */
export type Decision = ReadonlyMap<string, Choice>;

export const writeDecision = (folder: string, decision: Decision): Promise<void> => {
  const document: z.infer<typeof schema> = {
    schema: 'decant.quantization/1',
    weights: Object.fromEntries(decision),
  };
  return writeFile(join(folder, FILE), jsonText(document));
};

/** What the stage that made a model decided; undefined where none has quantized it. */
export const readDecision = async ({ artifact, path }: InputArtifact): Promise<Decision | undefined> => {
  if (artifact.files[FILE] === undefined) return undefined;
  const { weights } = schema.parse(JSON.parse(await readText(path(FILE))));
  return new Map(Object.entries(weights));
};
