import { describe, expect, it } from 'vitest';
import { parameterNames } from '../../graph/sites.ts';
import { float32Of } from '../../graph/tensor.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact } from '../../models/files.ts';
import { distill } from '../../stages/distill/index.ts';
import { label } from '../../stages/label/index.ts';
import { readTeacherOutputs } from '../../stages/label/outputs.ts';
import { newDecoder } from '../../stages/train/architectures/new-decoder.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { datasetArtifact, modelArtifact, runStage } from '../stages/training-rig.ts';
import { dataset, tinyDecoder } from './tiny.ts';

/** Scores that were kept and those of the step differ by the order of their sums; updates of 1e-3 make little of it. */
const ROUNDING = 2e-4;

/** Texts of two stretches each. */
const texts = { ...dataset, maxLength: 20, train: dataset.train.slice(0, 16) };

const shape = { hidden: 16, layers: 1, heads: 2, kvHeads: 1, ffn: 24, vocabulary: 300 };
const student = newDecoder({ uses: 'llama', ...shape, ropeTheta: 10_000, tied: true, dropout: 0 }, dataset, 5);
const options = { teacher: 'teacher', steps: 4, batch: 8, learningRate: 1e-3, hard: 0 };

const inputsIn = async (space: Workspace): Promise<Record<'dataset' | 'model' | 'teacher', InputArtifact>> => ({
  dataset: await datasetArtifact(space, texts),
  model: await modelArtifact(space, 'student', student),
  teacher: await modelArtifact(space, 'teacher', tinyDecoder()),
});

const labelled = async (space: Workspace, config: object, name: string): Promise<InputArtifact> => {
  const { dataset: data, teacher: model } = await inputsIn(space);
  return (await runStage(space, label, { model, dataset: data }, config, { name, kind: 'teacher-outputs' })).output;
};

const weightsOf = async (artifact: InputArtifact): Promise<readonly number[]> => {
  const { graph } = await readModelArtifact(artifact.path);
  return parameterNames(graph).flatMap((name) => Array.from(float32Of(graph.weights.get(name) ?? never())));
};

const never = (): never => {
  throw new Error('a parameter has no weight');
};

const farthest = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? Math.max(...a.map((x, i) => Math.abs(x - (b[i] ?? Number.NaN)))) : Number.NaN;

describe('what a decoder said of every token before', () => {
  it('teaches what it teaches in the step, where all of it is kept, and nearly so where half of it is', async () => {
    using space = workspace();
    const { teacher, ...given } = await inputsIn(space);
    const taught = async (name: string, inputs: Record<string, InputArtifact>, more = {}) =>
      await weightsOf(
        (await runStage(space, distill, { ...given, ...inputs }, { ...options, ...more }, { name })).output,
      );
    const along = await taught('along', { teacher });
    const all = await taught('all', {
      'teacher-outputs': await labelled(space, { keep: 300, temperature: 2 }, 'l-all'),
    });
    expect(farthest(all, along)).toBeLessThan(ROUNDING);
    const some = { 'teacher-outputs': await labelled(space, { keep: 150, temperature: 2 }, 'l-some') };
    const few = { 'teacher-outputs': await labelled(space, { keep: 2, temperature: 2 }, 'l-few') };
    const off = [farthest(await taught('some', some), along), farthest(await taught('few', few), along)];
    expect(off[0]).toBeGreaterThan(ROUNDING);
    expect(off[0]).toBeLessThan(off[1] ?? 0);
  });

  it('is so many probabilities at the temperature, of every token of a text that is several stretches', async () => {
    using space = workspace();
    const { rows, starts, ids, temperature } = await readTeacherOutputs(
      (await labelled(space, { keep: 8, temperature: 2 }, 'label')).path,
    );
    expect([rows.columns, rows.width, ids.length, temperature]).toEqual([
      8,
      tinyDecoder().info.dimensions.vocabulary,
      texts.train.length,
      2,
    ]);
    expect(rows.data.length).toBe(8 * (starts.at(-1) ?? 0));
    const counts = Array.from(starts.subarray(1), (end, text) => end - (starts[text] ?? 0));
    expect(Math.min(...counts)).toBeGreaterThan(texts.maxLength);
    for (let row = 0; row < 20; row++) {
      const sum = rows.data.subarray(8 * row, 8 * row + 8).reduce((all, x) => all + Math.exp(x), 0);
      expect(sum > 0 && sum < 1).toBe(true);
    }
  });

  it('is nothing to a student of other tokens', async () => {
    using space = workspace();
    const { dataset: data } = await inputsIn(space);
    const outputs = await labelled(space, { keep: 8 }, 'label');
    const strange = { ...student, tokenizer: { ...student.tokenizer, version: 'another' } };
    const inputs = { dataset: data, model: await modelArtifact(space, 'strange', strange), 'teacher-outputs': outputs };
    await expect(runStage(space, distill, inputs, options, { name: 'refused' })).rejects.toMatchObject({
      kind: 'stage',
      message: expect.stringContaining('leave label out, so that it answers in every step'),
    });
  });
});
