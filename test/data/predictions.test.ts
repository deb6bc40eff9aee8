import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choices } from '../../data/evidence.ts';
import { type Predictions, readPredictions, writePredictions } from '../../data/predictions.ts';
import { blankRows, putRow, type Rows } from '../../data/rows.ts';
import { classReport } from '../../data/statistics/classes.ts';
import type { Scored } from '../../data/statistics/scored.ts';
import { correctness, logProbabilities, scoredOf } from '../../data/statistics/scored.ts';
import * as metrics from '../../ground/metrics/index.ts';
import { figureOf } from '../../ground/metrics/metric.ts';
import { judgeStages } from '../../reports/judged.ts';
import { workspace } from '../rig/workspace.ts';
import { artifactOf } from '../stages/stage-rig.ts';

const accuracy = (scored: Scored): number => figureOf(metrics.accuracy, choices(scored).judged);

const answered = (width: number, rows: readonly (Float32Array | undefined)[]): Rows => {
  const all = blankRows(rows.length, width);
  rows.forEach((row, i) => {
    if (row !== undefined) putRow(all, i, row);
  });
  return all;
};

const numbers = (width: number) =>
  fc
    .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: width, maxLength: width })
    .map((row) => Float32Array.from(row));

/** Answers of few or many numbers, some never given, to whose questions anything may be known. */
const predictions: fc.Arbitrary<Predictions> = fc.constantFrom(2, 150).chain((width) =>
  fc
    .record({
      rows: fc.array(fc.option(numbers(width), { nil: undefined }), { maxLength: 5 }),
      known: fc.constantFrom('class', 'number', 'classes', 'nothing'),
      grouped: fc.boolean(),
    })
    .map(({ rows, known, grouped }): Predictions => {
      const ids = Int32Array.from(rows, (_, i) => 3 * i);
      const targets = {
        class: { width: 1, data: ids },
        number: { width: 1, data: Float32Array.from(ids, (id) => id / 2) },
        classes: { width: 2, data: new Int32Array(2 * rows.length).fill(1) },
      };
      return {
        ...{ split: 'test', ids, rows: answered(width, rows) },
        ...(known === 'nothing' ? {} : { targets: targets[known] }),
        ...(grouped ? { groups: ids } : {}),
      };
    }),
);

const golden = (name: string) => join(import.meta.dirname, '../golden/predictions-1', name);

describe('predictions', () => {
  it('are read as they were written', async () => {
    await fc.assert(
      fc.asyncProperty(predictions, async (given) => {
        using space = workspace();
        await writePredictions(space.folder, given);
        expect(await readPredictions((file) => space.path(file))).toEqual(given);
      }),
      { numRuns: 40 },
    );
  });

  it('say which file is damaged', async () => {
    using space = workspace();
    const rows = answered(2, [Float32Array.of(1, 2), undefined]);
    const write = () => writePredictions(space.folder, { split: 'test', ids: Int32Array.of(1, 2), rows });
    const read = () => readPredictions((file) => space.path(file));
    await write();
    writeFileSync(space.path('answers.f32'), new Uint8Array(13));
    await expect(read()).rejects.toThrow('announces 4 numbers in answers.f32, which has 3: a file is damaged');
    await write();
    writeFileSync(space.path('predictions.json'), '{"schema": "decant.predictions/2", "columns": 3}');
    await expect(read()).rejects.toThrow('predictions.json is no header of columns: it is damaged');
    rmSync(space.path('predictions.json'));
    writeFileSync(space.path('predictions.json'), '{"schema": "decant.predictions/9", "columns": {}}');
    await expect(read()).rejects.toThrow("schema 'decant.predictions/9', expected 'decant.predictions/2'");
  });

  it('of runs from before are judged as they were', async () => {
    const stage = async (name: string) => ({
      id: name,
      evaluation: {
        ...{ cached: true, seconds: 0, metrics: {} },
        outputs: { predictions: await artifactOf(golden(name), 'predictions') },
      },
    });
    const { scores } = await judgeStages(
      [await stage('few'), await stage('many')],
      'text-classification',
      [],
      () => '',
    );
    const right = [...scores.values()].map((judged) =>
      judged?.scored == null ? undefined : [...correctness(judged.scored)],
    );
    expect(right).toEqual([
      [1, 0],
      [1, 0],
    ]);
    const { reference, scores: vectors } = await judgeStages([await stage('vectors')], 'features', [], () => '');
    expect([reference, vectors.get('vectors')]).toMatchObject(['vectors', { scored: null, ids: { 0: 7, 1: 8 } }]);
  });
});

describe('an answer that was never given', () => {
  const rows = answered(3, [Float32Array.of(3, 0, 0), undefined, undefined, Float32Array.of(1, 1, 1)]);
  const scored = scoredOf({
    ...{ split: 'test', ids: Int32Array.of(0, 1, 2, 3), rows },
    targets: { width: 1, data: Int32Array.of(0, 0, 2, 0) },
  });

  it('is wrong whatever the class, and one that says the same of all classes is an answer', () => {
    expect([...correctness(scored)]).toEqual([1, 0, 0, 1]);
    expect(accuracy(scored)).toBe(0.5);
  });

  it('claims no class: precision knows nothing of it, recall does', () => {
    const { classes } = classReport(scored);
    expect(classes.map(({ precision, recall, support }) => [precision, recall, support])).toEqual([
      [1, 2 / 3, 3],
      [0, 0, 0],
      [0, 0, 1],
    ]);
  });

  it('leaves every class as probable as any other', () => {
    expect([...logProbabilities(scored, 1)]).toEqual([-Math.log(3), -Math.log(3), -Math.log(3)]);
  });
});
