import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { compareRuns, type DiffSide } from '../../reports/diff/compare.ts';
import { type Finding, isClear } from '../../reports/diff/diff.ts';
import { evaluated, simulatedRun } from './simulate.ts';

const bands = { latency: 0.05, quality: 0 };
const TIMES = 20;

const findings = (before: DiffSide, after: DiffSide): readonly Finding[] =>
  compareRuns({ before, after }, bands, null).stages.flatMap((stage) => stage.findings);

const EXAMPLES = 8000;
const ACCURACY = 0.8;
const labels = Int32Array.from({ length: EXAMPLES }, (_, i) => i % 4);

/** Answers of a model, and of one like it that is right less often by `drop`; `churn` of them change either way. */
const answers = (seed: number, drop: number, churn: number): readonly [Uint8Array, Uint8Array] => {
  const random = stream(seed, 'answers');
  const before = Uint8Array.from(labels, () => Number(random.uniform() < ACCURACY));
  const lose = (churn + drop) / 2 / ACCURACY;
  const gain = (churn - drop) / 2 / (1 - ACCURACY);
  const after = before.map((right) => {
    const draw = random.uniform();
    return right === 1 ? Number(draw >= lose) : Number(draw < gain);
  });
  return [before, after];
};

describe('a diff on a machine that swings by a third', () => {
  it('reports at most one difference in twenty re-measurements of the same run', () => {
    const first = simulatedRun(1000);
    const clear = Array.from({ length: TIMES }, (_, i) => findings(first, simulatedRun(i + 1)).filter(isClear).length);
    expect(clear.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(1);
  });

  it('mistakes no moody kernel for a change of the models', () => {
    const clear = Array.from({ length: TIMES }, (_, i) => {
      const [before, after] = [4000 + i, 4500 + i].map((seed) => simulatedRun(seed, { unlucky: 0.3 }));
      return before === undefined || after === undefined ? 0 : findings(before, after).filter(isClear).length;
    });
    expect(clear.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(1);
  });

  it('calls it noise when some of the models that did not change are slower and the kernel is not', () => {
    const clear = Array.from({ length: TIMES }, (_, i) =>
      findings(simulatedRun(9000 + i), simulatedRun(9500 + i, { crowded: 1.25 })).filter(isClear),
    );
    expect(clear.flat().length).toBeLessThanOrEqual(1);
  });

  it('compares every latency of every stage, and calls it noise', () => {
    const all = findings(simulatedRun(1), simulatedRun(2));
    expect(all.length).toBe(24);
    expect(new Set(all.map(({ verdict }) => verdict))).toEqual(new Set(['noise']));
  });

  it('reports a p50 raised by 20 % in nineteen of twenty', () => {
    const reported = Array.from({ length: TIMES }, (_, i) => {
      const diff = compareRuns(
        { before: simulatedRun(2000 + i), after: simulatedRun(3000 + i, { slower: 1.2 }) },
        bands,
        null,
      );
      return diff.stages.at(-1)?.findings.some(({ verdict }) => verdict === 'worse') === true;
    });
    expect(reported.filter(Boolean).length).toBeGreaterThanOrEqual(19);
  });
});

describe('a diff of predictions', () => {
  const base = { ...simulatedRun(1), report: { ...simulatedRun(1).report, measurement: null } };
  const verdicts = (seed: number, drop: number, churn: number): readonly string[] => {
    const [before, after] = answers(seed, drop, churn);
    return findings(evaluated(base, labels, before), evaluated(base, labels, after)).map(({ verdict }) => verdict);
  };

  it('reports an accuracy lowered by 1.5 points on 8,000 examples in nineteen of twenty', () => {
    const reported = Array.from({ length: TIMES }, (_, i) => verdicts(i, 0.015, 0.06).includes('worse'));
    expect(reported.filter(Boolean).length).toBeGreaterThanOrEqual(19);
  });

  it('reports at most one difference in twenty pairs of equally good models', () => {
    const reported = Array.from({ length: TIMES }, (_, i) => verdicts(100 + i, 0, 0.06).some((v) => v !== 'noise'));
    expect(reported.filter(Boolean).length).toBeLessThanOrEqual(1);
  });
});
