import { describe, expect, it } from 'vitest';
import { evidenceOf } from '../../data/evidence.ts';
import type { Predictions } from '../../data/predictions.ts';
import { dataTask } from '../../ground/tasks.ts';
import { qualityReport } from '../../reports/quality.ts';
import type { QualityReport } from '../../reports/report.ts';
import { parseReport } from '../../reports/schema/index.ts';
import { fullReport } from './sample.ts';

const vectors = (rows: readonly (readonly number[])[]): Predictions => {
  const [width, data] = [rows[0]?.length ?? 0, Float32Array.from(rows.flat())];
  const unread = new Uint8Array(rows.length);
  return { split: 'test', ids: Int32Array.from(rows.keys()), rows: { width, columns: width, data, unread } };
};

const qualityOf = (reference: Predictions, model: Predictions): QualityReport => {
  const evidence = evidenceOf({ task: dataTask('features'), classes: [] }, model, reference);
  if (evidence === null) throw new Error('they are of the same width');
  return qualityReport({ ...evidence, task: dataTask('features'), ids: model.ids, textOf: () => '' }, []);
};

const teacher = vectors([
  [1, 0],
  [1, 0.2],
  [0.2, 1],
  [-1, 0.5],
]);

describe('vectors beside those of the teacher', () => {
  it('find the same texts alike where all of them are turned', () => {
    const turned = vectors(
      Array.from({ length: 4 }, (_, i) => [-(teacher.rows.data[2 * i + 1] ?? 0), teacher.rows.data[2 * i] ?? 0]),
    );
    expect(qualityOf(teacher, turned).more.spearman?.value).toBeCloseTo(1, 12);
  });

  it('that are all one have no rank correlation, and their report can be read again', () => {
    const same = vectors(Array.from({ length: 4 }, () => [1, 0]));
    const quality = qualityOf(teacher, same);
    expect(quality.more).toEqual({});
    const report = fullReport([]);
    const [first, ...others] = report.stages;
    if (first === undefined) throw new Error('the sample has stages');
    const collapsed = { ...report, stages: [{ ...first, quality }, ...others] };
    expect(parseReport(JSON.stringify(collapsed), 'report.json')).toEqual(collapsed);
  });

  it('of one text say nothing about pairs', () => {
    const [one, other] = [vectors([[1, 0]]), vectors([[0, 1]])];
    expect(qualityOf(one, other).more).toEqual({});
  });
});
