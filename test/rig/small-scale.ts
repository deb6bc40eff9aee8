import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const pipeline = z.object({
  stages: z.array(
    z.object({
      id: z.string(),
      uses: z.string(),
      architecture: z.unknown().optional(),
      recover: z.unknown().optional(),
    }),
  ),
});

/** Shapes of texts have a vocabulary. */
const readsTexts = (architecture: unknown): boolean =>
  architecture !== undefined && Object(architecture).uses !== 'vit';

/** Settings that run a pipeline as it stands in seconds: few texts, two steps a training, a tokenizer that is learned at once. */
export const smallScale = (file: string, limit: number, steps = 2): readonly string[] => {
  const { stages } = pipeline.parse(parse(readFileSync(file, 'utf8')));
  const settings = stages.flatMap(({ id, uses, architecture, recover }) => [
    ...(uses === 'train' || uses === 'distill' ? [`stages.${id}.steps=${steps}`] : []),
    ...(uses === 'prune' ? [`stages.${id}.examples=32`] : []),
    ...(recover === undefined ? [] : [`stages.${id}.recover.steps=${steps}`]),
    ...(readsTexts(architecture) ? [`stages.${id}.architecture.vocabulary=1000`] : []),
  ]);
  const measure = 'measure={ rounds: 3, processes: 2, loads: 0, batch: 2, profile: false }';
  return [`data.limit=${limit}`, measure, ...settings].flatMap((value) => ['--set', value]);
};
