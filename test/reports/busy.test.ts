import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { cardWithFigures } from '../../reports/card.ts';
import { renderCsv } from '../../reports/csv.ts';
import { compareRuns } from '../../reports/diff/compare.ts';
import type { Gate } from '../../reports/gates/gate.ts';
import { renderHtml } from '../../reports/html/page.ts';
import { renderMarkdown } from '../../reports/markdown.ts';
import type { LatencyReport, LoadReport, Report } from '../../reports/report.ts';
import { parseReport } from '../../reports/schema/index.ts';
import { withSeeds } from '../../reports/seeds.ts';
import { renderTable } from '../../reports/terminal.ts';
import { verdict } from '../../reports/verdict.ts';
import { bareStage, fullReport } from './sample.ts';

const idle = fullReport();

const load: LoadReport = {
  ...{ busy: true, disturbed: 0.96, waited: 0.613 },
  ...{ average: [19.5, 20.4], stolen: 0.001, switches: 8000 },
};

/** Figures as a machine gives them whose other work had the processor: times that are no property of the models. */
const ofBusyMachine = (cell: LatencyReport): LatencyReport => ({
  ...cell,
  ...{ busy: true, p50Ms: 9.87 * cell.p50Ms, speedup: null, speedupInterval: null, relative: null },
});

const busy: Report = {
  ...idle,
  measurement: idle.measurement && { ...idle.measurement, load },
  stages: idle.stages.map((stage) => ({ ...stage, latency: stage.latency.map(ofBusyMachine) })),
};

const said = 'Measured on a busy machine: other work had the processor 61.3 % of the time.';
const card = '---\nlibrary_name: x\n---\n\nFIGURES\n';
const [folder = bareStage('deploy')] = busy.stages.filter(({ id }) => id === 'deploy');

const renderings: Readonly<Record<string, (report: Report) => string | Promise<string>>> = {
  'the terminal': (report) => renderTable(report, { columns: 400, color: false }),
  Markdown: renderMarkdown,
  HTML: renderHtml,
  'the card': (report) => cardWithFigures(card, 'FIGURES', report, folder),
};

describe('a busy machine', () => {
  it.each(Object.entries(renderings))('is named by %s, which gives no speed-up', async (_, render) => {
    const text = (await render(busy)).replaceAll(/\s+/g, ' ');
    expect(text).toContain(said);
    // Sizes have ratios, too.
    expect(text).not.toMatch(/\b(?:15\.7|13\.2|8\.5|6\.0)\d*x\b/);
    expect(text).not.toContain('times as fast as teacher (');
    expect(text).toContain('~1.40');
    expect((await render(idle)).replaceAll(/\s+/g, ' ')).not.toMatch(/busy|~\d/);
  });

  it('whose memory others had is told as that', () => {
    const quiet = { ...load, busy: false, disturbed: 0, waited: 0.01 };
    const torn = { ...busy, measurement: busy.measurement && { ...busy.measurement, load: quiet } };
    expect(renderMarkdown(torn).replaceAll(/\s+/g, ' ')).toContain(
      'Measured on a busy machine: models took more than twice as long in some rounds as in others, though no other work had the processor.',
    );
  });

  it('is named by the CSV and by report.json', () => {
    const rows = parse(renderCsv(busy), { columns: true }) as Record<string, string>[];
    expect(rows.find(({ stage }) => stage === 'int8')).toMatchObject({
      busy_batch_1_length_15: 'true',
      speedup_batch_1_length_15: '',
    });
    const read = parseReport(JSON.stringify(busy), 'report.json');
    expect(read.measurement?.load).toEqual(load);
    expect(read.stages.find(({ id }) => id === 'int8')?.latency[0]).toMatchObject({ busy: true, speedup: null });
  });

  it('keeps the speed out of the verdict, which says why', () => {
    expect(verdict(busy)).toBe(
      'int8 is 11.4 times smaller; it is right on 79.7 % (78.8 to 80.6) of 8,154 test texts, -0.5 points (-1.1 to +0.1), which may be chance. Its speed cannot be told: measured on a busy machine. Against the linear bag of words it is +6.6 points (+5.8 to +7.4).',
    );
  });

  it('may spoil the larger batch alone', () => {
    const stages = idle.stages.map((stage) => ({
      ...stage,
      latency: stage.latency.map((cell) => (cell.batch > 1 ? ofBusyMachine(cell) : cell)),
    }));
    const text = renderTable({ ...idle, stages }, { columns: 400, color: false });
    expect(text).toContain('int8 is 15.7 times as fast as teacher');
    expect(text).toContain('Measured on a busy machine');
    expect(text).not.toContain('13.2x');
  });

  it('has no part in the mean over seeds', () => {
    const two = withSeeds([idle, { ...busy, seed: 2 }]);
    const latency = two.seeds?.stages.find(({ id }) => id === 'int8')?.latency[0];
    expect(latency?.p50Ms?.mean).toBe(0.142);
    expect(latency?.p50Ms?.values).toEqual([0.142, null]);
  });
});

describe('a report of a version that did not look for other work', () => {
  it('is read as measured on an idle machine', () => {
    const old = JSON.parse(JSON.stringify(idle), (key, value: unknown) =>
      key === 'busy' || key === 'load' ? undefined : value,
    );
    const read = parseReport(JSON.stringify(old), 'report.json');
    expect(read.measurement?.load).toBeNull();
    expect(read.stages[0]?.latency[0]?.busy).toBe(false);
  });
});

describe('a gate on p50', () => {
  const gate: Gate = {
    ...{ stage: 'int8', figure: 'p50', limit: 'max', value: 100, versus: null, confidence: 0.95 },
    ...{ batch: null, length: null },
  };
  const sideOf = (report: Report) => ({
    ...{ report, scores: new Map(), examples: null },
    name: { where: 'runs/x', name: 'x', created: '' },
  });
  const judged = (before: Report, after: Report, one: Partial<Gate>) =>
    compareRuns({ before: sideOf(before), after: sideOf(after) }, { latency: 0.05, quality: 0 }, [{ ...gate, ...one }])
      .gates[0];

  it.each<[string, Partial<Gate>, Report, Report]>([
    ['at most', {}, idle, busy],
    ['of another stage', { limit: 'maxRatio', versus: 'teacher' }, idle, busy],
    ['of a busy baseline', { limit: 'maxRatio', versus: 'baseline' }, busy, idle],
    ['beside a baseline', { limit: 'maxRatio', versus: 'baseline' }, idle, busy],
  ])('%s is undecided, whatever the limit', (_, one, before, after) => {
    expect(judged(before, after, one)).toMatchObject({
      ...{ outcome: 'undecided', found: null, reason: 'measured on a busy machine' },
    });
  });

  it('is decided on an idle one', () => {
    expect(judged(idle, idle, {})?.outcome).toBe('passed');
  });
});

describe('a diff', () => {
  it('marks what a baseline took there, and says how it is measured again', () => {
    const { linear, ...others } = idle.data.baselines ?? {};
    if (linear === undefined) throw new Error('no baseline');
    const report = { ...idle, data: { ...idle.data, baselines: { ...others, linear: { ...linear, busy: true } } } };
    const text = (one: Report) => renderTable(one, { columns: 200, color: false }).replaceAll(/\s+/g, ' ');
    expect(text(report)).toMatch(/linear .* ~0\.021 ~46,948 —.*where it has ~: --remeasure repeats it/);
    expect(text(idle)).not.toContain('~');
  });

  it('compares no latencies of a busy machine and says why', () => {
    const side = (report: Report) => ({
      ...{ report, scores: new Map(), examples: null },
      name: { where: 'runs/x', name: 'x', created: '' },
    });
    const diff = compareRuns({ before: side(idle), after: side(busy) }, { latency: 0.05, quality: 0 }, null);
    const int8 = diff.stages.find(({ id }) => id === 'int8');
    expect(int8?.findings.filter(({ figure }) => figure === 'p50')).toEqual([]);
    expect(int8?.refusals).toEqual([{ kind: 'latency', figure: 'p50', reason: 'measured on a busy machine' }]);
  });
});
