import { describe, expect, it } from 'vitest';
import { blankRows, putRow, type Rows, rowOf } from '../../data/rows.ts';
import type { Answer } from '../../ground/tasks.ts';
import { distill } from '../../stages/distill/index.ts';
import { agreementOf } from '../../stages/label/copy.ts';
import { label } from '../../stages/label/index.ts';
import { readTeacherOutputs } from '../../stages/label/outputs.ts';
import { mix } from '../../stages/mix/index.ts';
import { best, temperatureOf } from '../../stages/mix/ways/best.ts';
import { ways } from '../../stages/mix/ways/index.ts';
import { mean } from '../../stages/mix/ways/mean.ts';
import { smallEncoder } from '../models/support.ts';
import { workspace } from '../rig/workspace.ts';
import { classes, datasetArtifact, modelArtifact, runStage, smallDataset } from './training-rig.ts';

/** float32 keeps seven digits. */
const ROUNDING = 1e-5;

const rowsOf = (numbers: readonly (readonly number[])[]): Rows => {
  const rows = blankRows(numbers.length, numbers[0]?.length ?? 0);
  for (const [row, own] of numbers.entries()) putRow(rows, row, Float32Array.from(own));
  return rows;
};

const softmax = (logits: readonly number[]): readonly number[] => {
  const exponentials = logits.map(Math.exp);
  const sum = exponentials.reduce((all, x) => all + x, 0);
  return exponentials.map((x) => x / sum);
};

const expectNear = (found: ArrayLike<number>, expected: readonly number[]): void => {
  expect(found.length).toBe(expected.length);
  for (const [i, x] of expected.entries()) expect(Math.abs((found[i] ?? Number.NaN) - x)).toBeLessThan(ROUNDING);
};

/** What the mean of two answers is. */
const meanOf = (answer: Answer, one: readonly number[], other: readonly number[], weights = [0.5, 0.5]) => {
  const into = new Float32Array(one.length);
  mean.mix({ answer, rows: [rowsOf([one]), rowsOf([other])], weights }, undefined).put(0, [0, 1], into);
  return into;
};

describe('the mean of teachers', () => {
  it('is that of probabilities, as logits of one teacher', () => {
    const [one, other] = [
      [2, 0, -1],
      [0.5, 3, 0],
    ] as const;
    const probabilities = softmax(one).map((p, i) => 0.25 * p + 0.75 * (softmax(other)[i] ?? 0));
    expectNear(softmax([...meanOf('choice', one, other, [0.25, 0.75])]), probabilities);
  });

  it('is that of each probability where a text has several classes', () => {
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
    const found = [...meanOf('set', [2, -3], [0, 1])].map(sigmoid);
    expectNear(found, [(sigmoid(2) + sigmoid(0)) / 2, (sigmoid(-3) + sigmoid(1)) / 2]);
  });

  it('is that of numbers, and of vectors of length 1', () => {
    expectNear(meanOf('number', [3], [5]), [4]);
    expectNear(meanOf('vector', [3, 0], [0, 0.1]), [0.5, 0.5]);
  });

  it('leaves out who did not read so far', () => {
    const into = new Float32Array(2);
    const rows = [rowsOf([[1, 2]]), blankRows(1, 2)];
    mean.mix({ answer: 'number', rows, weights: [0.5, 0.5] }, undefined).put(0, [0], into);
    expectNear(into, [1, 2]);
  });
});

describe('the best of teachers', () => {
  const targets = [0, 0, 0, 0, 1, 1, 1, 1];
  /** Right of three texts in four, twenty to one. */
  const sure = rowsOf(targets.map((target, i) => ((i % 4 === 3) === (target === 0) ? [0, 3] : [3, 0])));

  it('is as sure as it is right on validation texts: the temperature at which the loss is least', () => {
    // Three of four are right: log 3 = 3 / T.
    expect(Math.abs(temperatureOf(sure, targets) - 3 / Math.log(3))).toBeLessThan(1e-3);
  });

  it('speaks of each text alone, calibrated', () => {
    /** Knows the first class, nothing of the second, and is right of the first always. */
    const modest = rowsOf(targets.map((target) => (target === 0 ? [1, 0] : [0, 0])));
    const mixed = best.mix(
      { answer: 'choice', rows: [sure, modest], weights: [0.5, 0.5] },
      { rows: [sure, modest], targets },
    );
    const into = new Float32Array(2);
    const said = targets.map((_, row) => {
      mixed.put(row, [0, 1], into);
      return [...into];
    });
    // Where the modest one knows, it is always right and surer than three of four.
    for (const row of [0, 1, 2, 3]) expect(softmax(said[row] ?? [])[0]).toBeGreaterThan(0.9);
    for (const row of [4, 5, 6, 7]) expect(Math.max(...softmax(said[row] ?? []))).toBeCloseTo(0.75, 3);
    expect(mixed.found?.chosen).toEqual([4, 4]);
  });
});

describe('an INT8 copy', () => {
  it('agrees in the classes that it chooses, the sets, the direction of vectors and the order of numbers', () => {
    const [one, other] = [
      rowsOf([
        [2, 1],
        [0, 1],
      ]),
      rowsOf([
        [1, 0.5],
        [1, 0],
      ]),
    ];
    expect(agreementOf('choice', one, other)).toBe(0.5);
    expect(
      agreementOf(
        'set',
        rowsOf([
          [1, -1],
          [1, 1],
        ]),
        rowsOf([
          [2, -3],
          [1, -1],
        ]),
      ),
    ).toBe(0.5);
    expect(agreementOf('vector', one, one)).toBeCloseTo(1, 12);
    expect(agreementOf('number', rowsOf([[1], [2], [3]]), rowsOf([[3], [2], [1]]))).toBeCloseTo(-1, 12);
  });
});

describe('several teachers', () => {
  it('speak as one to a student', async () => {
    using space = workspace();
    const dataset = await datasetArtifact(space, smallDataset(60, 60));
    const said: Record<string, Awaited<ReturnType<typeof runStage>>['output']> = {};
    for (const [k, seed] of [3, 4].entries()) {
      const model = await modelArtifact(space, `teacher-${k}`, smallEncoder({ labels: classes }, seed));
      const config = { validation: true };
      const run = await runStage(space, label, { model, dataset }, config, {
        name: `label-${k}`,
        kind: 'teacher-outputs',
      });
      said[`outputs-${k}`] = run.output;
    }
    for (const { name } of ways.filter(({ answers }) => answers.includes('choice'))) {
      const config = { by: name };
      const inputs = { ...said, dataset };
      const { output, metrics } = await runStage(space, mix, inputs, config, { name, kind: 'teacher-outputs' });
      const { ids, rows } = await readTeacherOutputs(output.path);
      expect([ids.length, metrics]).toEqual([160, expect.objectContaining({ by: name, texts: 160 })]);
      expect(rows.unread.includes(1)).toBe(false);
      expect(rowOf(rows, 0).every(Number.isFinite)).toBe(true);
      const student = await modelArtifact(
        space,
        `student-${name}`,
        smallEncoder({ labels: classes, hidden: 8, heads: 2 }, 9),
      );
      const quick = { teacher: 'a', epochs: 1, batch: 16 };
      const taught = { model: student, dataset, 'teacher-outputs': output };
      expect((await runStage(space, distill, taught, quick, { name: `taught-${name}` })).metrics).toHaveProperty(
        'training',
      );
    }
  });

  it('of other classes are refused before anything runs, where they are known', async () => {
    const models = { 'outputs-0': { labels: classes }, 'outputs-1': { labels: ['x', 'y'] }, 'outputs-2': {} };
    const seen = await mix.foresee?.({ by: 'mean' }, { models, data: undefined, base: '' });
    expect(seen?.problems?.map(({ message }) => message)).toEqual([
      'one teacher knows 3 classes (animal, motion, rest), another 2 classes (x, y); expected the same in the same order: train both on this data',
    ]);
    const alike = { 'outputs-0': { labels: classes }, 'outputs-1': { labels: classes } };
    expect((await mix.foresee?.({ by: 'mean' }, { models: alike, data: undefined, base: '' }))?.problems).toEqual([]);
  });

  it('of other classes are refused', async () => {
    using space = workspace();
    const dataset = await datasetArtifact(space, smallDataset(20, 0));
    const said: Record<string, Awaited<ReturnType<typeof runStage>>['output']> = {};
    for (const [k, labels] of [classes, ['x', 'y']].entries()) {
      const model = await modelArtifact(space, `teacher-${k}`, smallEncoder({ labels }, 3));
      const run = await runStage(space, label, { model, dataset }, {}, { name: `label-${k}`, kind: 'teacher-outputs' });
      said[`outputs-${k}`] = run.output;
    }
    const mixed = runStage(space, mix, { ...said, dataset }, { by: 'mean' }, { name: 'mix', kind: 'teacher-outputs' });
    await expect(mixed).rejects.toMatchObject({
      kind: 'stage',
      message: expect.stringContaining('another 2 classes (x, y)'),
    });
  });
});
