import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../data/dataset.ts';
import { type DecoderSize, type EncoderSize, type ImageSize, rehearse } from '../../engine/rehearsal/rehearsal.ts';
import { untrained } from '../../engine/rehearsal/untrained.ts';
import { textGeneration } from '../../engine/tasks/text-generation.ts';
import { buildEncoder } from '../../models/encoder.ts';
import { modelFigures } from '../../models/inspect.ts';
import { expectedOf } from '../../pipeline/execute/expect.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { loadPipeline } from '../../pipeline/load.ts';
import { estimateSteps } from '../../pipeline/plan/estimate/estimate.ts';
import { parametersOf, sizeOf } from '../../pipeline/plan/estimate/sizes.ts';
import { rowsOf, textsOf } from '../../pipeline/plan/estimate/texts.ts';
import { Sources } from '../../pipeline/plan/fingerprint.ts';
import { totalsOf, warningsOf } from '../../pipeline/plan/totals.ts';
import { hashJson } from '../../pipeline/store/hash.ts';
import type { StepRecord } from '../../pipeline/store/record.ts';
import { newDecoder } from '../../stages/train/architectures/new-decoder.ts';
import { tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const size: EncoderSize = {
  ...{
    kind: 'encoder',
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

const encoder = ({ kind: _, classes, ...shape }: EncoderSize) =>
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

const body = { hidden: 64, layers: 2, heads: 4, headWidth: 16, ffn: 128 } as const;

const decoder: DecoderSize = {
  ...{ ...body, kind: 'decoder', kvHeads: 2, vocabulary: 500, maxLength: 32, tied: true },
};

const images: ImageSize = {
  ...{ ...body, kind: 'images', patch: 4, channels: 3, height: 16, width: 20, classes: 10 },
};

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

  it.each([
    decoder,
    { ...decoder, kvHeads: 4, tied: false },
    { ...decoder, hidden: 96, headWidth: 8, vocabulary: 3000 },
    images,
    { ...images, patch: 2, channels: 1, hidden: 96, headWidth: 8 },
  ])('tell it of decoders and of what reads images: %j', (shape) => {
    const { parameters } = modelFigures(untrained(shape, [1]).model, 16);
    expect(parametersOf(shape) / parameters).toBeCloseTo(1, 2);
  });

  it('are those of decoders and of patches where the data asks for them', () => {
    const sizes = { hidden: 64, layers: 2, heads: 4, ffn: 128 };
    const written = { task: 'text-generation', maxLength: 32, classes: 0 } as const;
    expect(sizeOf({ sizes: { ...sizes, kvHeads: 2, vocabulary: 500 } }, written)).toEqual(decoder);
    expect(sizeOf({ sizes: { ...sizes, vocabulary: 500 }, tied: false }, written)).toEqual({
      ...decoder,
      ...{ kvHeads: 4, tied: false },
    });
    const shown = { task: 'image-classification', maxLength: 1, classes: 10 } as const;
    const pixels = { channels: 3, height: 16, width: 20 };
    expect(sizeOf({ sizes: { ...sizes, patch: 4 } }, { ...shown, pixels })).toEqual(images);
    expect(sizeOf({ sizes: { ...sizes, patch: 4 } }, shown)).toBeUndefined();
    expect(sizeOf({ sizes }, { ...shown, pixels })).toBeUndefined();
  });

  it('are known where all are, with heads as wide as before a cut', () => {
    const sizes = { hidden: 64, layers: 2, heads: 4, ffn: 128, vocabulary: 500 };
    const data = { task: 'text-classification', maxLength: 32, classes: 3 } as const;
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
    expect([characters, sample.train.length, sample.train.at(-1)?.id]).toEqual([
      ...[{ train: 20_000, unlabelled: 4000, validation: 0, test: 40 }, 2000, 997],
    ]);
  });

  const documents = (task: Dataset['task']): Dataset => ({
    ...{ task, classes: [], maxLength: 10, unlabelled: [], validation: [] },
    train: Array.from({ length: 40 }, (_, id) => ({ id, text: 'word '.repeat(20_000) })),
    test: [{ id: 40, text: 'word '.repeat(5000) }],
  });

  it('are as many rows as a model reads that is asked for every token of them', () => {
    const texts = textsOf(documents('text-generation'));
    // A million and a half characters are enough to learn how long texts are.
    expect(texts.sample.train.length).toBe(15);
    const uncounted = rowsOf(texts);
    expect([uncounted.train, uncounted.test]).toEqual([100_000, 625]);
    const lengths = Array.from({ length: 15 * 2000 }, () => 10);
    expect(rowsOf(texts, lengths)).toEqual({ train: 80_000, unlabelled: 0, validation: 0, test: 500 });
    expect(rowsOf(textsOf(documents('fill-mask')))).toEqual({ train: 40, unlabelled: 0, validation: 0, test: 1 });
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

  it('foretells less where layers are computed once more', async () => {
    const deep = { ...size, layers: 4, hidden: 128, headWidth: 32, ffn: 512, maxLength: 128 };
    const rehearsal = { size: deep, lengths: Array.from({ length: 64 }, () => 128), batch: 64, threads: 1, room: 1e6 };
    const [kept, again] = [await rehearse(rehearsal), await rehearse({ ...rehearsal, recompute: true })];
    // Values of 64 texts of 128 tokens in 4 layers: what is forgotten is most of them.
    expect((kept?.training ?? 0) - (again?.training ?? 0)).toBeGreaterThan(50e6);
  });
});

describe('a trial of a model of images', () => {
  it('tells the same', async () => {
    const lengths = Array.from({ length: 40 }, () => 1);
    const shown = await rehearse({ size: images, lengths, batch: 8, threads: 1, room: 8e9 });
    expect(Object.values(shown ?? { nothing: null }).every((figure) => figure !== null && figure > 0)).toBe(true);
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

  it('count the stretches that a decoder reads of long texts', async () => {
    using space = workspace();
    const sentences = Array.from(
      { length: 60 },
      (_, i) => `text ${i}: ${'the old dog sleeps quietly '.repeat(20 + i)}`,
    );
    space.write('long.csv', ['text', ...sentences].join('\n'));
    const shape = { uses: 'llama', hidden: 32, layers: 1, heads: 4, ffn: 48, vocabulary: 300 } as const;
    const yaml = `name: p
data: { uses: csv, file: long.csv, task: text-generation, maxLength: 16 }
stages:
  - { id: teacher, uses: train, steps: 2, batch: 4, architecture: ${JSON.stringify(shape)} }
`;
    const plan = await loadPipeline(space.write('pipeline.yaml', yaml), [], decantCatalogue);
    const dataset = await decantCatalogue.readData?.(plan.steps[0]?.config, plan.base);
    if (dataset === undefined) throw new Error('there is no data');
    const model = newDecoder({ ...shape, ropeTheta: 10_000, tied: true, dropout: 0 }, dataset, 1);
    const rows = await textGeneration.encode(model, dataset.test, 16);
    const wanted = new Set(['teacher', 'teacher/evaluate']);
    const options = { plan, catalogue: decantCatalogue, threads: 1, room: 8e9, wanted, read: async () => dataset };
    const estimates = await estimateSteps({ ...options, progress: () => undefined });
    const answers = rows.reduce((sum, { length }) => sum + length, 0);
    // 32 numbers with their tokens, and four numbers beside them, of four bytes each.
    expect((estimates.get('teacher/evaluate')?.disk ?? 0) / (answers * 4 * (64 + 4))).toBeCloseTo(1, 1);
    expect(rows.length).toBeGreaterThan(10 * dataset.test.length);
    for (const id of wanted) expect([id, (estimates.get(id)?.seconds ?? 0) > 0]).toEqual([id, true]);
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
