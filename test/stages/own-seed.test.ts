import { describe, expect, it } from 'vitest';
import { distill } from '../../stages/distill/index.ts';
import { label } from '../../stages/label/index.ts';
import type { AnyStage } from '../../stages/stage.ts';
import { trainStage } from '../../stages/train/index.ts';
import { smallEncoder } from '../models/support.ts';
import { workspace } from '../rig/workspace.ts';
import { classes, datasetArtifact, modelArtifact, runStage, smallDataset, smallFeatures } from './training-rig.ts';

const quick = { steps: 3, batch: 16, learningRate: 0.01, dropout: 0.1, validationLimit: 0 };

/** What a stage makes of one input with some seeds: of the file, and of the stage. */
const draws = async (space: ReturnType<typeof workspace>, stage: AnyStage, inputs: Parameters<typeof runStage>[2]) => {
  let runs = 0;
  return async (config: object, seed = 1): Promise<string> => {
    const name = `run-${runs++}`;
    const { output } = await runStage(space, stage, inputs, { ...quick, ...config }, { name, context: { seed } });
    return output.artifact.digest;
  };
};

describe('a seed of a stage', () => {
  it('gives train another draw, alike every time, and another one for each seed of the file', async () => {
    using space = workspace();
    const inputs = {
      model: await modelArtifact(space, 'encoder', smallFeatures()),
      dataset: await datasetArtifact(space, smallDataset()),
    };
    const drawn = await draws(space, trainStage, inputs);
    const usual = await drawn({});
    const [first, again, other] = [await drawn({ seed: 7 }), await drawn({ seed: 7 }), await drawn({ seed: 8 })];
    expect(again).toBe(first);
    expect(new Set([usual, first, other, await drawn({ seed: 7 }, 2)]).size).toBe(4);
    // The number of the file itself is no special one: a stage of seed 1 in a file of seed 1 is a draw of its own.
    expect(await drawn({ seed: 1 })).not.toBe(usual);
  });

  it('gives distill another draw', async () => {
    using space = workspace();
    const teacher = await modelArtifact(space, 'teacher', smallEncoder({ ffn: 40, labels: classes }, 3));
    const dataset = await datasetArtifact(space, smallDataset());
    const labelled = await runStage(
      space,
      label,
      { model: teacher, dataset },
      {},
      { name: 'outputs', kind: 'teacher-outputs' },
    );
    const drawn = await draws(space, distill, { model: teacher, dataset, 'teacher-outputs': labelled.output });
    const [usual, first, again] = [{}, { seed: 7 }, { seed: 7 }].map((own) => drawn({ teacher: 'a', ...own }));
    expect(await again).toBe(await first);
    expect(await first).not.toBe(await usual);
  });

  it('belongs to no key where it is left out, and is a whole number', () => {
    for (const [stage, needed] of [
      [trainStage, {}],
      [distill, { teacher: 'a' }],
    ] as const) {
      expect(Object.keys(Object(stage.config.parse(needed)))).not.toContain('seed');
      expect(stage.config.safeParse({ ...needed, seed: 1.5 }).success).toBe(false);
      expect(stage.config.safeParse({ ...needed, seed: -1 }).success).toBe(false);
    }
  });
});
