import { describe, expect, it } from 'vitest';
import { type EncoderSize, rehearse } from '../../engine/rehearsal/rehearsal.ts';
import { buildEncoder } from '../../models/encoder.ts';
import { modelFigures } from '../../models/inspect.ts';
import { parametersOf, sizeOf } from '../../pipeline/plan/estimate/sizes.ts';
import { textsOf } from '../../pipeline/plan/estimate/texts.ts';
import { totalsOf, warningsOf } from '../../pipeline/plan/totals.ts';

const size: EncoderSize = {
  ...{ hidden: 64, layers: 2, heads: 4, headWidth: 16, ffn: 128, vocabulary: 500, maxLength: 32, classes: 3 },
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
  it.each([{}, { heads: 2 }, { layers: 5, ffn: 32 }, { hidden: 96, headWidth: 8 }, { vocabulary: 9000, classes: 40 }])(
    'tell how many parameters there will be: %j',
    (other) => {
      const shape = { ...size, ...other };
      const { parameters } = modelFigures(encoder(shape), 16);
      expect(parametersOf(shape) / parameters).toBeCloseTo(1, 2);
    },
  );

  it('are known where all are, with heads as wide as before a cut', () => {
    const sizes = { hidden: 64, layers: 2, heads: 4, ffn: 128, vocabulary: 500 };
    const data = { maxLength: 32, classes: 3 };
    expect(sizeOf({ sizes }, data)).toEqual(size);
    expect(sizeOf({ sizes: { ...sizes, heads: 2 }, headWidth: 16, labels: ['a'] }, data)).toEqual({
      ...size,
      heads: 2,
      classes: 1,
    });
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
