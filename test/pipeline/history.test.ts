import { describe, expect, it } from 'vitest';
import type { Digest } from '../../ground/artifact.ts';
import { stageOf } from '../../pipeline/catalogue.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { History } from '../../pipeline/plan/history.ts';
import type { StepRecord } from '../../pipeline/store/record.ts';

const digestOf = (text: string): Digest => text as Digest;

const texts = { train: 1000, unlabelled: 3000, validation: 300, test: 500 };

const record = (step: string, uses: string, seconds: number, more: Partial<StepRecord> = {}): StepRecord => ({
  ...{ schema: 'decant.record/1', key: digestOf(step), pipeline: 'p', step, outputs: {}, metrics: {}, seconds },
  finished: '2026-11-30T00:00:00.000Z',
  ...more,
  fingerprint: {
    ...{ uses, version: 1, config: {}, sources: {}, environment: { provider: 'cpu' } },
    inputs: { dataset: digestOf('data') },
    ...more.fingerprint,
  },
});

const dataset: StepRecord = {
  ...record('dataset', 'dataset', 2),
  outputs: { dataset: { kind: 'dataset', digest: digestOf('data'), size: 1, files: {} } },
  metrics: texts,
};

/** Seconds of a step by the record of another run of it. */
const secondsOf = (uses: string, before: object, now: object, counts = texts): number | undefined => {
  const earlier = record('s', uses, 60);
  const history = new History([
    { ...earlier, fingerprint: { ...earlier.fingerprint, config: JSON.parse(JSON.stringify(before)) } },
    dataset,
  ]);
  const step = { id: 's', uses, place: 'named', inputs: {}, config: JSON.parse(JSON.stringify(now)) } as const;
  return history.seconds('p', step, stageOf(decantCatalogue, uses), counts);
};

describe('seconds by earlier runs', () => {
  it.each([
    ['train', { epochs: 4, validationLimit: 0 }, { epochs: 2, validationLimit: 0 }, 30],
    ['train', { steps: 100, batch: 16, validationLimit: 0 }, { steps: 50, batch: 64, validationLimit: 0 }, 120],
    ['train', { epochs: 1, validationLimit: 0 }, { epochs: 1, task: 'fill-mask', validationLimit: 0 }, 240],
    ['distill', { teacher: 't', epochs: 3 }, { teacher: 't', epochs: 6 }, 120],
    ['evaluate', {}, { client: false }, 60],
    ['quantize', {}, { embeddings: false }, 60],
  ])('of %s grow with what there is to do: %j, then %j', (uses, before, now, seconds) => {
    expect(secondsOf(uses, before, now)).toBeCloseTo(seconds, 6);
  });

  it.each([
    ['label', { ...texts, train: 2000, unlabelled: 0 }, 30],
    ['evaluate', { ...texts, test: 1000 }, 120],
    ['baseline', { ...texts, train: 4000, test: 2000 }, 240],
    ['prune', { ...texts, unlabelled: 0 }, 60],
  ])('of %s grow with the texts', (uses, counts, seconds) => {
    const config = uses === 'prune' ? { keep: { ffn: '50%' } } : {};
    expect(secondsOf(uses, config, config, counts)).toBeCloseTo(seconds, 6);
  });

  it('are those of the step itself, of its engine, and failing that of any of its kind', () => {
    const on = (provider: string, seconds: number, step = 's'): StepRecord => {
      const earlier = record(step, 'label', seconds);
      return { ...earlier, fingerprint: { ...earlier.fingerprint, environment: { provider } } };
    };
    const history = new History([on('webgpu', 5), on('cpu', 50), on('cpu', 500, 'other')]);
    const step = { id: 's', uses: 'label', place: 'asked', inputs: {}, config: {} } as const;
    const stage = stageOf(decantCatalogue, 'label');
    expect(history.seconds('p', step, stage)).toBe(50);
    expect(history.seconds('p', { ...step, engine: 'webgpu' }, stage)).toBe(5);
    expect(history.seconds('p', { ...step, engine: 'cuda' }, stage)).toBe(5);
    expect(history.seconds('p', { ...step, id: 'other' }, stage)).toBe(500);
    expect(history.seconds('p', { ...step, id: 'new' }, stage)).toBe(50);
    expect(history.seconds('p', { ...step, id: 'new', uses: 'quantize' }, stage)).toBeUndefined();
  });
});
