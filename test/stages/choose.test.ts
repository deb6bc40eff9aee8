import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askModule } from '../../data/process.ts';
import { defaultEngine, findEngine } from '../../engine/engines/index.ts';
import { train } from '../../engine/train.ts';
import { trial } from '../../engine/trial.ts';
import type { Json } from '../../ground/json.ts';
import { choice } from '../../ground/reported/choice.ts';
import { decide, type Tried } from '../../stages/choose/decide.ts';
import { choose } from '../../stages/choose/index.ts';
import { located, opened, type Question } from '../../stages/choose/question.ts';
import { distill } from '../../stages/distill/index.ts';
import { stages } from '../../stages/index.ts';
import { label } from '../../stages/label/index.ts';
import { prune } from '../../stages/prune/index.ts';
import type { AnyStage } from '../../stages/stage.ts';
import { trainStage } from '../../stages/train/index.ts';
import { plainRequest } from '../engines/training.ts';
import { smallEncoder } from '../models/support.ts';
import { root } from '../rig/build.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { classes, datasetArtifact, modelArtifact, runStage, smallDataset } from './training-rig.ts';

const losses = [2, 1.5, 1];

const tried = (engine: string, tokensPerSecond: number, own: readonly number[] = losses): Tried => ({
  ...{ engine, device: `device of ${engine}` },
  outcome: { tokensPerSecond, losses: own },
});

const failed = (engine: string, problem: string): Tried => ({ engine, device: 'x', outcome: { problem } });

describe('the engine of a training is', () => {
  it('the fastest', () => {
    const all = [tried('cpu', 100), tried('webgpu', 300), tried('cuda', 200)];
    expect(decide(all).engine).toBe('webgpu');
  });

  it('the default where no other is clearly faster', () => {
    expect(decide([tried('cpu', 100), tried('webgpu', 105)]).engine).toBe('cpu');
    expect(decide([tried('cpu', 100)])).toMatchObject({ engine: 'cpu', tried: [{ problem: null }] });
  });

  it('the only one, of which nothing is told that was not measured', () => {
    const row = { engine: 'cpu', device: 'x', tokensPerSecond: null, problem: null };
    expect(decide([{ engine: 'cpu', device: 'x' }])).toEqual({ engine: 'cpu', tried: [row] });
  });

  it('none that has other losses, or none at all', () => {
    const all = [tried('cpu', 100), tried('webgpu', 900, [2, 1.5, 1.01]), tried('cuda', 800, [2, Number.NaN, 1])];
    const { engine, tried: rows } = decide([...all, failed('tensorflow', 'out of memory')]);
    expect(engine).toBe('cpu');
    expect(rows.map(({ problem }) => problem)).toEqual([
      null,
      "its losses are apart from the cpu's by 1e-2",
      "its losses are apart from the cpu's by NaN",
      'out of memory',
    ]);
  });

  it('the default where that fails: nothing says then what the losses should be', () => {
    expect(decide([failed('cpu', 'no memory'), tried('webgpu', 900)]).engine).toBe('cpu');
    expect(decide([tried('cpu', 100, [Number.NaN]), tried('webgpu', 900)]).engine).toBe('cpu');
  });

  it('chosen alike in whatever order engines are tried', () => {
    const speeds = fc.tuple(fc.double({ min: 1, max: 1e6 }), fc.double({ min: 1, max: 1e6 }));
    fc.assert(
      fc.property(speeds, ([one, other]) => {
        const all = [tried('cpu', 1000), tried('webgpu', one), tried('cuda', other)];
        const { engine } = decide(all);
        if (one !== other) expect(decide(all.toReversed()).engine).toBe(engine);
        if (Math.max(one, other) < 1000) expect(engine).toBe('cpu');
      }),
    );
  });
});

describe('a trial', () => {
  it('makes the first updates of the training itself', async () => {
    const { losses: own, tokensPerSecond } = await trial(plainRequest({ steps: 7 }));
    const { summary } = await train(plainRequest({ steps: 7 }));
    expect(own).toHaveLength(7);
    expect(tokensPerSecond).toBeGreaterThan(0);
    const every = summary.curve.map(({ step, loss }, i) => ({ loss, from: summary.curve[i - 1]?.step ?? 0, to: step }));
    for (const { loss, from, to } of every) {
      const mean = own.slice(from, to).reduce((sum, one) => sum + one, 0) / (to - from);
      expect(mean).toBeCloseTo(loss, 6);
    }
  });

  it('of a training of one update is that update', async () => {
    expect((await trial(plainRequest({ steps: 1 }))).losses).toHaveLength(1);
  });
});

const quick = { epochs: 2, batch: 16 };

/** What a process is asked, but for the engine. */
const questionOf = async (space: Workspace, stage: AnyStage, options: Json): Promise<Omit<Question, 'engine'>> => {
  const teacher = smallEncoder({ ffn: 40 }, 3);
  const model = await modelArtifact(space, 'model', { ...teacher, info: { ...teacher.info, labels: classes } });
  const dataset = await datasetArtifact(space, smallDataset());
  const said = await runStage(space, label, { model, dataset }, {}, { name: 'label', kind: 'teacher-outputs' });
  const inputs = { model, dataset, 'teacher-outputs': said.output };
  return {
    ...{ stage: stage.uses, options, inputs: located(inputs) },
    ...{ seed: 0, threads: 1, base: space.folder, offline: true },
  };
};

describe.each<readonly [string, AnyStage, Json]>([
  ['train', trainStage, quick],
  ['distill', distill, { teacher: 'model', ...quick }],
  ['prune', prune, { keep: { ffn: '50%' }, criterion: 'magnitude', recover: { uses: 'train', ...quick } }],
])('what %s trains', (_, stage, options) => {
  it('is tried in a process of its own, on an engine that is there; of others it says what is missing', async () => {
    using space = workspace();
    const question = await questionOf(space, stage, options);
    const ask = async (engine: string): Promise<unknown> =>
      (await askModule(`${root}dist/stages/choose/process.js`, { ...question, engine })).answer;
    expect(await ask(defaultEngine)).toMatchObject({ tokensPerSecond: expect.any(Number) });
    const memory = { bytes: 1e6, asked: true };
    const small = await askModule(`${root}dist/stages/choose/process.js`, {
      ...question,
      engine: defaultEngine,
      memory,
    });
    expect(small.answer).toEqual({
      problem: expect.stringMatching(/^training does not fit .*--memory allows 1\.00 MB/),
    });
    const found = await findEngine('cuda');
    if ('missing' in found) expect(await ask('cuda')).toEqual({ problem: expect.any(String) });
  });
});

it('no stage is tried that trains nothing, as pruning without recovery', () => {
  expect(prune.trains?.when({ keep: { ffn: '50%' } })).toBe(false);
  expect(prune.trains?.when({ keep: { ffn: '50%' }, recover: { uses: 'train' } })).toBe(true);
});

it('every stage that heeds the engine and trains can be tried', () => {
  const asked = ['evaluate', 'label', 'reword', 'validate'];
  const untried = stages.filter(({ choosesEngine, trains }) => choosesEngine === true && trains === undefined);
  expect(untried.map(({ uses }) => uses).sort()).toEqual(asked);
});

describe('the step that chooses', () => {
  it('writes the engine alone, so that the same choice is the same file, and tells what was tried', async () => {
    using space = workspace();
    const { inputs } = await questionOf(space, trainStage, quick);
    const config = { stage: 'train', options: quick };
    const { output, metrics } = await runStage(space, choose, opened(inputs), config, {
      name: 'choose',
      kind: 'choice',
    });
    const { engine, tried: rows } = choice.parse(metrics);
    expect(readFileSync(output.path('choice.json'), 'utf8')).toBe(`${JSON.stringify({ engine })}\n`);
    expect(rows[0]?.engine).toBe(defaultEngine);
    for (const row of rows.slice(1)) expect(row.problem ?? row.tokensPerSecond).not.toBeNull();
  });
});
