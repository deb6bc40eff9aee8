import { describe, expect, it } from 'vitest';
import { type EncoderSize, rehearse } from '../../engine/rehearsal/rehearsal.ts';
import { buildEncoder } from '../../models/encoder.ts';
import { modelFigures } from '../../models/inspect.ts';
import { expectedOf } from '../../pipeline/execute/expect.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { loadPipeline } from '../../pipeline/load.ts';
import { estimateSteps } from '../../pipeline/plan/estimate/estimate.ts';
import { parametersOf, sizeOf } from '../../pipeline/plan/estimate/sizes.ts';
import { textsOf } from '../../pipeline/plan/estimate/texts.ts';
import { Sources } from '../../pipeline/plan/fingerprint.ts';
import { totalsOf, warningsOf } from '../../pipeline/plan/totals.ts';
import { hashJson } from '../../pipeline/store/hash.ts';
import type { StepRecord } from '../../pipeline/store/record.ts';
import { tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const size: EncoderSize = {
  ...{
    hidden: 64,
    embedding: 64,
    layers: 2,
    heads: 4,
    headWidth: 16,
    ffn: 128,
    vocabulary: 500,
    maxLength: 32,
    classes: 3,
  },
};

const encoder = ({ classes, ...shape }: EncoderSize) =>
  buildEncoder(
    {
      ...{
        ...shape,
        norm: 'post',
        activation: 'gelu',
        pooling: 'mean',
        dropout: 0,
        tokens: { padding: 1, unknown: 0 },
      },
      labels: Array.from({ length: classes }, (_, i) => `${i}`),
    },
    {},
    1,
  );

describe('sizes of models that are not there yet', () => {
  it.each([
    {},
    { heads: 2 },
    { layers: 5, ffn: 32 },
    { hidden: 96, headWidth: 8 },
    { embedding: 32 },
    { vocabulary: 9000, classes: 40 },
  ])('tell how many parameters there will be: %j', (other) => {
    const shape = { ...size, ...other };
    const { parameters } = modelFigures(encoder(shape), 16);
    expect(parametersOf(shape) / parameters).toBeCloseTo(1, 2);
  });

  it('are known where all are, with heads as wide as before a cut', () => {
    const sizes = { hidden: 64, layers: 2, heads: 4, ffn: 128, vocabulary: 500 };
    const data = { maxLength: 32, classes: 3 };
    expect(sizeOf({ sizes }, data)).toEqual(size);
    expect(sizeOf({ sizes: { ...sizes, heads: 2 }, headWidth: 16, labels: ['a'] }, data)).toEqual({
      ...size,
      heads: 2,
      classes: 1,
    });
    expect(sizeOf({ sizes: { ...sizes, embedding: 32 } }, data)).toEqual({ ...size, embedding: 32 });
    expect(sizeOf({ sizes: { ...sizes, hidden: 63 } }, data)).toBeUndefined();
    expect(sizeOf({ sizes: { hidden: 64 } }, data)).toBeUndefined();
    expect(sizeOf(undefined, data)).toBeUndefined();
  });
});

describe('texts of a plan', () => {
  it('are counted, and some from all over are kept', () => {
    const train = Array.from({ length: 5000 }, (_, id) => ({ id, text: 'four', target: 0 }));
    const dataset = { task: 'text-classification', classes: ['a'], maxLength: 8 } as const;
    const { counts, characters, sample } = textsOf({
      ...dataset,
      train,
      unlabelled: train.slice(0, 1000),
      validation: [],
      test: train.slice(0, 10),
    });
    expect(counts).toEqual({ train: 5000, unlabelled: 1000, validation: 0, test: 10 });
    expect([characters, sample.train.length, sample.train.at(-1)?.id]).toEqual([4 * 6010, 2000, 997]);
  });
});

describe('a trial of an untrained model', () => {
  it('tells seconds a text and bytes, and does not train what would not fit', async () => {
    const lengths = Array.from({ length: 100 }, (_, i) => 4 + (i % 20));
    const rehearsal = { size, lengths, batch: 16, threads: 1, room: 8e9 };
    const shown = await rehearse(rehearsal);
    expect(Object.values(shown ?? {}).every((figure) => figure !== null && figure > 0)).toBe(true);
    const tight = await rehearse({ ...rehearsal, room: 1e6 });
    expect([tight?.trained, (tight?.training ?? 0) > 1e6]).toEqual([null, true]);
  });
});

describe('totals', () => {
  const step = (name: string, state: 'run' | 'cached', memory: number | null, seconds: number | null = 10) => ({
    ...{ step: name, uses: 'train', state, why: [], seconds, memory, disk: 5, seed: 1 },
    sources: { seconds: 'history', memory: 'history', disk: 'history' } as const,
  });

  it('are of what would run, and warn of what does not fit', () => {
    const steps = [
      step('a', 'cached', 9e9),
      step('b', 'run', 2e9),
      step('c', 'run', 3e9),
      step('d', 'run', null, null),
    ];
    expect(totalsOf(steps, 7, 2.5e9)).toMatchObject({
      ...{ untimed: 1, memory: { step: 'c', bytes: 3e9 }, disk: 15, saved: 7, room: 2.5e9 },
    });
    const warnings = warningsOf(steps, 2.5e9, new Set(['c']));
    expect(warnings.length).toBe(1);
    const wanted = 'c takes about 3000 MB of memory, and a step may take 2500 MB here: ';
    expect(warnings[0]).toContain(`${wanted}halve its batch and double accumulate`);
    expect(warningsOf(steps, 2.5e9, new Set())[0]).toContain(`${wanted}take shorter texts`);
  });
});

const pipeline = `name: p
data: { uses: csv, file: tiny.csv, maxLength: 16 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: teacher, uses: train, steps: 20, batch: 16, architecture: { hidden: 64, layers: 1, heads: 4, ffn: 128, vocabulary: 300 } }
  - { id: other, uses: import, model: 'hub:owner/name@0123456789012345678901234567890123456789' }
`;

describe('estimates of a run', () => {
  const plans = async () => {
    using space = workspace();
    space.write('tiny.csv', tinyCsv());
    const plan = await loadPipeline(space.write('pipeline.yaml', pipeline), [], decantCatalogue);
    const tried: number[] = [];
    const options = {
      plan,
      catalogue: decantCatalogue,
      threads: 1,
      room: 8e9,
      wanted: new Set(plan.steps.map(({ id }) => id)),
    };
    const estimate = (least: number) => estimateSteps({ ...options, least, progress: (done) => tried.push(done) });
    return { short: await estimate(1e6), long: await estimate(0), tried };
  };

  it('are made where it is long enough, of what is known before it begins', async () => {
    const { short, long, tried } = await plans();
    expect([short.size, tried]).toEqual([0, [0]]);
    for (const id of ['dataset', 'teacher', 'teacher/evaluate']) {
      expect([id, (long.get(id)?.seconds ?? 0) > 0, (long.get(id)?.memory ?? 0) > 0]).toEqual([id, true, true]);
    }
    // Nobody knows how large a model of the hub is.
    for (const id of ['other', 'other/evaluate', 'measure']) expect([id, long.get(id)?.seconds]).toEqual([id, null]);
  });

  it('are told with what earlier runs show as soon as the data was read', async () => {
    using space = workspace();
    space.write('tiny.csv', tinyCsv());
    const plan = await loadPipeline(space.write('pipeline.yaml', pipeline), [], decantCatalogue);
    const asked: (readonly string[])[] = [];
    const estimate = async (steps: ReadonlySet<string>) => {
      asked.push([...steps]);
      return new Map([['teacher', 77]]);
    };
    const record = (step: string, uses: string, seconds: number): StepRecord => ({
      ...{ schema: 'decant.record/1', key: hashJson(step), pipeline: 'p', step, outputs: {}, metrics: {}, seconds },
      fingerprint: { uses, version: 1, config: {}, inputs: {}, sources: {}, environment: {} },
      finished: '2026-11-30T00:00:00.000Z',
    });
    const records = [record('dataset', 'dataset', 2), record('baseline', 'baseline', 3)];
    const expecting = { plan, catalogue: decantCatalogue, threads: 1, sources: new Sources(), estimate };
    const before = await expectedOf(new Map(), records, expecting);
    expect([before, asked]).toEqual([{ seconds: { dataset: 2, baseline: 3 }, later: 0 }, []]);
    const done = new Map(records.slice(0, 1).map((one) => [one.step, one] as const));
    const after = await expectedOf(done, records, expecting);
    expect(after).toEqual({ seconds: { baseline: 3, teacher: 77 }, later: 0 });
    expect(asked[0]).toContain('teacher');
    expect(asked[0]).not.toContain('baseline');
  });
});
