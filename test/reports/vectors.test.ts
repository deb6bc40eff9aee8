import { describe, expect, it } from 'vitest';
import { qualityReport } from '../../reports/quality.ts';
import { parseReport } from '../../reports/schema.ts';
import { cosinesTo, pairAgreement, type Vectors } from '../../reports/statistics/vectors.ts';
import { fullReport } from './sample.ts';

const vectors = (rows: readonly (readonly number[])[]): Vectors => ({
  ids: Int32Array.from(rows.keys()),
  width: rows[0]?.length ?? 0,
  values: Float32Array.from(rows.flat()),
});

const teacher = vectors([
  [1, 0],
  [1, 0.2],
  [0.2, 1],
  [-1, 0.5],
]);

describe('vectors beside those of the teacher', () => {
  it('find the same texts alike where all of them are turned', () => {
    const turned = vectors(
      Array.from({ length: 4 }, (_, i) => [-(teacher.values[2 * i + 1] ?? 0), teacher.values[2 * i] ?? 0]),
    );
    expect(pairAgreement(teacher, turned)).toBeCloseTo(1, 12);
  });

  it('that are all one have no rank correlation, and their report can be read again', () => {
    const same = vectors(Array.from({ length: 4 }, () => [1, 0]));
    const spearman = pairAgreement(teacher, same);
    expect(spearman).toBeUndefined();
    const judged = { kind: 'vectors', cosines: cosinesTo(teacher, same), spearman, ids: same.ids } as const;
    const report = fullReport([]);
    const [first, ...others] = report.stages;
    if (first === undefined) throw new Error('the sample has stages');
    const collapsed = { ...report, stages: [{ ...first, quality: qualityReport(judged, []) }, ...others] };
    expect(parseReport(JSON.stringify(collapsed), 'report.json')).toEqual(collapsed);
  });

  it('of one text say nothing about pairs', () => {
    const [one, other] = [vectors([[1, 0]]), vectors([[0, 1]])];
    expect(pairAgreement(one, other)).toBeUndefined();
  });
});
