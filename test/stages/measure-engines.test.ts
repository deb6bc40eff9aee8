import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../data/dataset.ts';
import { type EngineTimes, type Measurements, readMeasurements } from '../../data/measurements.ts';
import type { Engine } from '../../engine/engine.ts';
import { findEngine, openEngine } from '../../engine/engines/index.ts';
import { leftToHost } from '../../engine/left.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import type { Model } from '../../models/model.ts';
import { measure } from '../../stages/measure/index.ts';
import { loadInProcess } from '../../stages/measure/process.ts';
import { allowSoftwareAdapter } from '../engines/software-adapter.ts';
import { feedsFor } from '../graph/rewrite-run.ts';
import { smallEncoder } from '../models/support.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { datasetArtifact, modelArtifact, runStage, smallDataset } from './training-rig.ts';

allowSoftwareAdapter();

let space: Workspace;
beforeAll(() => {
  space = workspace();
});
afterAll(() => space[Symbol.dispose]());

const student = (): Model => smallEncoder({ labels: ['animal', 'motion', 'rest'], layers: 1 });

/** The same in 8 bits. */
const int8 = (): Model => {
  const model = student();
  const { graph } = quantizeWeights(fuseForInference(model.graph), { minimumElements: 1, minimumTable: 1 });
  return { ...model, graph };
};

/** Texts of one length: with one batch that is one cell, for which a device without a card compiles shaders for seconds. */
const evenTexts = (): Dataset => {
  const all = smallDataset();
  return { ...all, test: all.test.map((example) => ({ ...example, text: 'the old cat' })) };
};

const measured = async (engines: readonly string[], loads: number): Promise<Measurements> => {
  const inputs = {
    dataset: await datasetArtifact(space, evenTexts()),
    student: await modelArtifact(space, 'student', student()),
    int8: await modelArtifact(space, 'int8', int8()),
  };
  const config = { rounds: 3, processes: 2, loads, batch: 1, engines };
  const { output } = await runStage(space, measure, inputs, config, { name: engines.join('-'), kind: 'measurements' });
  return await readMeasurements(output.path);
};

/** Numbers of rounds by cell, of every model and of the kernel. */
const roundsIn = ({ models, kernel }: EngineTimes): readonly (readonly number[])[] =>
  [...Object.values(models), kernel.times].map((times) => times.map((turns) => turns.length));

const sharesIn = ({ processes }: EngineTimes): readonly number[] => processes.map(({ rounds }) => rounds);

/** Positive times; how busy the machine was is told of a whole process, of which the second has two rounds. */
const expectTimed = ({ models }: EngineTimes): void => {
  for (const turns of Object.values(models).flat()) {
    expect(Math.min(...turns.flatMap(({ ms }) => ms))).toBeGreaterThan(0);
    const [, second, third] = turns.map(({ waited }) => waited);
    expect(third).toBe(second);
    expect(third).toBeGreaterThanOrEqual(0);
    expect(third).toBeLessThanOrEqual(1);
  }
};

const why = (found: Awaited<ReturnType<typeof findEngine>>): string =>
  'missing' in found ? ` (not there: ${found.missing})` : '';

const MOST_MS = 600_000;

const gpu = await findEngine('webgpu');

describe.skipIf('missing' in gpu)(`measuring on WebGPU and on the CPU${why(gpu)}`, () => {
  it(
    'has the same rounds on both, and no figure of the CPU for what WebGPU has no kernel for',
    async () => {
      const { others = [], ...first } = await measured(['webgpu', 'cpu'], 0);
      expect(first.on).toMatchObject({ engine: 'webgpu', device: 'device' in gpu && gpu.device.name });
      expect(first.on?.versions.onnxruntime).toMatch(/^\d+\.\d+/);
      expect(Object.keys(first.models)).toEqual(['student']);
      expect(first.lacking).toEqual({ int8: expect.arrayContaining(['DynamicQuantizeLinear', 'MatMulInteger']) });
      expectTimed(first);
      const [second] = others;
      if (second === undefined) throw new Error('nothing was measured on the CPU');
      expect(second.on.engine).toBe('cpu');
      expect(Object.keys(second.models)).toEqual(['student', 'int8']);
      expect(second).not.toHaveProperty('lacking');
      const rounds = [3];
      expect(first.cells).toEqual([{ batch: 1, length: first.cells[0]?.length }]);
      expect([roundsIn(first), roundsIn(second)]).toEqual([
        [rounds, rounds],
        [rounds, rounds, rounds],
      ]);
      expect([sharesIn(first), sharesIn(second)]).toEqual([
        [1, 2],
        [1, 2],
      ]);
    },
    MOST_MS,
  );

  it('learns from a run what falls back to the CPU, where no list of the engine has it', async () => {
    const engine = await openEngine('webgpu');
    const blind: Engine = { ...engine, target: { ...engine.target, lacking: () => [] } };
    const left = (model: Model): Promise<readonly string[]> => {
      const graph = fuseForInference(model.graph);
      const feeds = feedsFor(graph, { batch: 1, sequence: 4 }, { seed: 1, vocabulary: 3 });
      return leftToHost(blind, graph, feeds, { threads: 1, optimization: 'all' });
    };
    expect(await left(student())).toEqual([]);
    expect(await left(int8())).toEqual(expect.arrayContaining(['DynamicQuantizeLinear', 'MatMulInteger']));
  });

  it('says on which engine a file fails', async () => {
    const broken = { name: '"student"', file: space.write('broken.onnx', 'no model'), feeds: {} };
    const failed = loadInProcess(
      { type: 'load', engine: 'webgpu', threads: 1, subject: broken },
      { signal: new AbortController().signal },
    );
    await expect(failed).rejects.toThrow(/^measuring .+ on webgpu: .*broken\.onnx/);
  });
});

const library = await findEngine('tensorflow');

describe.skipIf('missing' in library)(`measuring on the CPU and on TensorFlow.js${why(library)}`, () => {
  it(
    'puts the CPU first as without a word, and times and loads every model on both',
    async () => {
      const { others = [], ...first } = await measured(['cpu', 'tensorflow'], 1);
      expect(first).not.toHaveProperty('on');
      const [second] = others;
      if (second === undefined) throw new Error('nothing was measured on TensorFlow.js');
      expect(second.on).toMatchObject({
        engine: 'tensorflow',
        versions: { tensorflow: expect.stringMatching(/^2\./) },
      });
      expect(roundsIn(second)).toEqual(roundsIn(first));
      expect(Object.keys(second.loading)).toEqual(['student', 'int8']);
      expect(second.loading.student?.sessionMs).toHaveLength(1);
      expectTimed(second);
    },
    MOST_MS,
  );
});
