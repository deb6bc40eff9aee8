import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spread } from '../../data/statistics/spread.ts';
import { renderCsv } from '../../reports/csv.ts';
import type { GateReport } from '../../reports/gates/gate.ts';
import { renderHtml } from '../../reports/html/page.ts';
import { renderMarkdown } from '../../reports/markdown.ts';
import type { Report, StageReport } from '../../reports/report.ts';
import { parseReport } from '../../reports/schema/index.ts';
import { withSeeds } from '../../reports/seeds.ts';
import { renderTable } from '../../reports/terminal.ts';
import { terminalWidth } from '../../reports/text.ts';
import { bare, bareStage, fullReport, hostile } from './sample.ts';

/** Sums of floats in another order. */
const ROUNDING = 1e-9;

/** The sample report as another seed would have it: accuracies and speed-ups moved by as much. */
const ofSeed = (seed: number, accuracy: number, speed: number, report = fullReport()): Report => ({
  ...report,
  seed,
  stages: report.stages.map(
    (stage): StageReport => ({
      ...stage,
      quality: stage.quality === null ? null : { ...stage.quality, score: stage.quality.score + accuracy },
      difference:
        stage.difference === null || stage.id === report.reference
          ? stage.difference
          : { ...stage.difference, score: stage.difference.score + accuracy },
      latency: stage.latency.map((cell) => ({ ...cell, speedup: (cell.speedup ?? 0) * speed })),
    }),
  ),
});

const three = (report = fullReport()): Report =>
  withSeeds([ofSeed(1, 0, 1, report), ofSeed(2, -0.004, 1.1, report), ofSeed(7, 0.002, 0.9, report)]);

describe('gates over seeds', () => {
  it('fail where one seed fails them, and say which', () => {
    const gate: GateReport = {
      ...{ stage: 'int8', figure: 'accuracy', limit: 'min', value: 0.8, versus: null, confidence: 0.95 },
      ...{ batch: null, length: null, found: null, reason: '', outcome: 'passed' },
    };
    const judged = (seed: number, outcome: GateReport['outcome']): Report => ({
      ...ofSeed(seed, 0, 1),
      gates: [{ ...gate, outcome }],
    });
    const { gates } = withSeeds([judged(1, 'passed'), judged(2, 'failed'), judged(3, 'undecided')]);
    expect(gates).toEqual([{ ...gate, outcome: 'failed', reason: 'seed 2' }]);
  });
});

describe('mean, deviation and the worst over seeds', () => {
  it('are those of certified values: NIST StRD NumAcc1 and NumAcc3', () => {
    const first = spread([1, 2, 3], [10_000_001, 10_000_003, 10_000_002], 'lower');
    expect(first).toEqual({
      mean: 10_000_002,
      deviation: 1,
      worst: 10_000_001,
      worstSeed: 1,
      values: [10_000_001, 10_000_003, 10_000_002],
    });
    const third = [1_000_000.2, ...Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? 1_000_000.1 : 1_000_000.3))];
    const found = spread(
      third.map((_, i) => i),
      third,
      'higher',
    );
    expect(found?.mean).toBeCloseTo(1_000_000.2, 6);
    expect(found?.deviation).toBeCloseTo(0.1, 6);
  });

  it('name the seed of the worst value, which is the highest where low is good', () => {
    expect(spread([5, 6, 7], [0.2, 0.9, 0.4], 'lower')).toMatchObject({ worst: 0.2, worstSeed: 5 });
    expect(spread([5, 6, 7], [0.2, 0.9, 0.4], 'higher')).toMatchObject({ worst: 0.9, worstSeed: 6 });
  });

  it('leave out runs without the figure and figures that are none', () => {
    const values = [undefined, 0.5, Number.NaN, 0.7, null];
    const found = spread([1, 2, 3, 4, 5], values, 'lower');
    expect(found).toMatchObject({ worst: 0.5, worstSeed: 2, values: [null, 0.5, null, 0.7, null] });
    expect(found?.mean).toBeCloseTo(0.6, 12);
    expect(found?.deviation).toBeCloseTo(Math.SQRT2 / 10, 12);
    expect(spread([1, 2], [0.5, null], 'lower')?.deviation).toBeNull();
    expect(spread([1, 2], [null, Number.NaN], 'lower')).toBeNull();
  });

  it('do not depend on the order of the seeds, and a shift moves only mean and worst', () => {
    const numbers = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(numbers, (values) => {
        const seeds = values.map((_, i) => i);
        const [found, turned, moved] = [values, values.toReversed(), values.map((x) => x + 3)].map((list) =>
          spread(seeds, list, 'lower'),
        );
        expect(turned?.mean).toBeCloseTo(found?.mean ?? Number.NaN, 9);
        expect(turned?.worst).toBe(found?.worst);
        expect(Math.abs((turned?.deviation ?? 1) - (found?.deviation ?? 0))).toBeLessThan(ROUNDING);
        expect(Math.abs((moved?.deviation ?? 1) - (found?.deviation ?? 0))).toBeLessThan(ROUNDING);
        expect(found?.worst).toBeLessThanOrEqual((found?.mean ?? 0) + ROUNDING);
      }),
    );
  });
});

describe('the report over seeds', () => {
  it('is that of the first seed and one more field', () => {
    const { seeds, ...rest } = three();
    expect(rest).toEqual(ofSeed(1, 0, 1));
    expect(seeds?.list).toEqual([1, 2, 7]);
    const int8 = seeds?.stages.find(({ id }) => id === 'int8');
    expect(int8?.score).toMatchObject({ worst: 0.793, worstSeed: 2 });
    expect(int8?.difference?.worst).toBeCloseTo(-0.009, 12);
    expect(int8?.latency.map(({ batch, speedup }) => [batch, speedup?.worstSeed])).toEqual([
      [1, 7],
      [32, 7],
    ]);
    expect(int8?.bytes).toMatchObject({ mean: 2_370_000, deviation: 0 });
    expect(seeds?.stages.find(({ id }) => id === 'deploy')).toMatchObject({ score: null, bytes: null, latency: [] });
  });

  it('keeps places of runs that ended before a stage', () => {
    const [one, two] = [ofSeed(1, 0, 1), ofSeed(2, -0.004, 1.1)];
    const { seeds } = withSeeds([one, { ...two, stages: two.stages.slice(0, 1) }]);
    const student = seeds?.stages.find(({ id }) => id === 'student')?.score;
    expect(student).toMatchObject({ mean: 0.796, deviation: null, values: [0.796, null] });
  });

  it('is read back from report.json as it was written', () => {
    expect(parseReport(JSON.stringify(three()), 'report.json')).toEqual(three());
  });
});

describe('reports of several seeds', () => {
  it('say in the terminal what the seeds say together, below the table of the first', () => {
    expect(renderTable(three(), { columns: 80, color: false })).toContain(`
Seeds 1, 2, 7: mean ± standard deviation, worst (its seed). All else is of seed
1.

stage    accuracy %   worst %      points  worst points       speed-up
teacher  80.1 ± 0.3  79.8 (2)
student  79.5 ± 0.3  79.2 (2)  -0.7 ± 0.3      -1.0 (2)   8.5x ± 0.85x
int8     79.6 ± 0.3  79.3 (2)  -0.6 ± 0.3      -0.9 (2)  15.7x ± 1.57x

to be beaten: majority (majority class), linear (linear bag of words)
p50 at batch 1, 15 tokens, 1 thread; MACs at 15 tokens; latency of baselines is
from another measurement: from the text, splitting included, in JavaScript,
where that of models begins at tokens
* reused from the cache
8,154 test texts; 1575 s in all
run with --set data.limit=8000 --set x='; rm -rf /
`);
  });

  it.each([1, 20, 47, 48, 60, 80])('fit a terminal of %i columns', (columns) => {
    for (const line of renderTable(three(), { columns, color: false }).split('\n')) {
      expect(terminalWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('add to the verdict how much of it is the seed', () => {
    expect(renderMarkdown(three())).toContain(
      'Over 3 seeds it is right on 79.6 ± 0.3 %, at worst on 79.3 % (seed 2).**',
    );
  });

  it.each([0, 4, 12, 25, 80])('are short enough for a pull-request comment with %i stages', (count) => {
    const { stages } = fullReport();
    const many = Array.from({ length: count }, (_, i) => ({ ...(stages[i % 3] ?? bareStage('x')), id: `stage-${i}` }));
    const text = renderMarkdown(three({ ...fullReport(), stages: many }));
    expect(text.split('\n').length).toBeLessThan(60);
  });

  it('show the second table in report.md unfolded', () => {
    const open = renderMarkdown(three()).split('<details>')[0] ?? '';
    expect(open).toContain('| **int8** | 79.6 ± 0.3 | 79.3 (2) | -0.6 ± 0.3 | -0.9 (2) | 15.7x ± 1.57x |');
    expect(open).not.toContain('| deploy |  |  |  |  |  |\n\n<details>');
  });

  it('have a section with table and picture in report.html, and are one-seed reports without', async () => {
    const page = await renderHtml(three());
    const [, section = ''] = /<section id="seeds"(.*?)<\/section>/s.exec(page) ?? [];
    expect(section).toContain('Over 3 seeds');
    expect(section).toContain('<td>79.6 ± 0.3</td><td>79.3 <small>seed 2</small></td>');
    expect(section).toContain('<th scope="col">speed-up, 32 × 15</th>');
    expect(section).toMatch(/<svg .*<details class="data">.*<th scope="col">seed 7<\/th>/s);
    expect(await renderHtml(fullReport())).not.toContain('id="seeds"');
    expect(await renderHtml(withSeeds([bare, { ...bare, seed: 2 }]))).toContain('Over 2 seeds');
  });

  it('keep names inert', async () => {
    const name = hostile.markup;
    const { stages } = fullReport();
    const renamed = { ...fullReport(), stages: stages.map((stage) => ({ ...stage, id: `${stage.id}${name}` })) };
    const [plain, page] = [await renderHtml(three()), await renderHtml(three(renamed))];
    const scripts = (html: string): number => html.match(/<(?:script|img)\b/g)?.length ?? 0;
    expect([scripts(page), scripts(plain)]).toEqual([0, 0]);
    expect(renderMarkdown(three(renamed))).not.toMatch(/<(?:script|img)\b/);
  });

  it('add columns to the CSV', () => {
    const rows: Record<string, string>[] = parse(renderCsv(three()), { columns: true });
    expect(Number(rows[2]?.accuracy_mean)).toBeCloseTo(0.797 - 0.002 / 3, 9);
    expect(rows[2]).toMatchObject({ stage: 'int8', accuracy_worst: '0.793', accuracy_worst_seed: '2' });
    expect(rows[3]).toMatchObject({ stage: 'deploy', accuracy_mean: '', difference_worst: '' });
    expect(renderCsv(fullReport())).not.toContain('accuracy_mean');
  });
});
