import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../reports/markdown.ts';
import type { Report, StageReport } from '../../reports/report.ts';
import { renderTable } from '../../reports/terminal.ts';

const stage = (id: string, extra: Partial<StageReport>): StageReport => ({
  id,
  uses: 'train',
  inputs: {},
  cached: false,
  seconds: 12.3,
  model: null,
  quality: null,
  agreement: null,
  difference: null,
  latency: [],
  training: null,
  notes: [],
  ...extra,
});

const report: Report = {
  schema: 'decant.report/1',
  name: 'a <b>name</b> | with traps',
  seed: 1,
  environment: { cpu: 'some cpu', cpuFlags: [], threads: 2, node: '20.0.0', onnxruntime: '1.30.0', decant: '0.1.0' },
  data: {
    uses: 'csv',
    train: 80,
    unlabelled: 10,
    validation: 10,
    test: 100,
    classes: ['a', 'b'],
    baselines: { majority: { accuracy: 0.5 }, linear: { accuracy: 0.731 } },
  },
  reference: 'teacher',
  stages: [
    stage('teacher', {
      quality: { accuracy: 0.8, macroF1: 0.79, loss: 0.5, examples: 100 },
      difference: { accuracy: 0, low: -0.01, high: 0.01 },
      agreement: { top1: 1, kl: 0 },
      model: {
        file: 'models/teacher/model.onnx',
        sha256: '00',
        bytes: 28_000_000,
        gzipBytes: 26_000_000,
        parameters: 7_000_000,
        nonzero: 7_000_000,
        macs: 60_000_000,
        macsLength: 12,
        dimensions: {},
      },
      latency: [{ batch: 1, length: 12, threads: 1, p50Ms: 2.5, p90Ms: 3, p99Ms: 4, runs: 100, speedup: 1 }],
    }),
    stage('int8', {
      cached: true,
      quality: { accuracy: 0.795, macroF1: 0.78, loss: 0.52, examples: 100 },
      difference: { accuracy: -0.005, low: -0.02, high: 0.01 },
      agreement: { top1: 0.95, kl: 0.02 },
      notes: ['kept | classifier in float'],
    }),
    stage('deploy', {}),
  ],
  seconds: 99.6,
};

describe('the terminal table', () => {
  it('shows one row a stage below the baselines', () => {
    expect(
      renderTable(report, { columns: 200, color: false }),
    ).toBe(`Baselines  majority class 50.0 %, linear bag of words 73.1 %

stage    accuracy %      points [95 %]  agrees %  parameters  non-zero     bytes      gzip     MACs  p50 ms  speed-up  seconds
teacher        80.0          reference     100.0      7.00 M    7.00 M  28.00 MB  26.00 MB  60.00 M    2.50      1.0x       12
int8           79.5  -0.5 [-2.0, +1.0]      95.0                                                                          12 *
deploy                                                                                                                      12

p50 at batch 1, 12 tokens, 1 thread; MACs at 12 tokens; * reused from the cache
100 test texts; 100 s in all
`);
  });

  it.each([0, 80])('splits into tables that fit a terminal of %i columns', (columns) => {
    const lines = renderTable(report, { columns, color: false }).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.filter((line) => line.startsWith('stage')).length).toBeGreaterThan(1);
  });

  it('uses escape codes only when colour is wanted', () => {
    expect(renderTable(report, { columns: 80, color: true })).toContain('\u001b[1m');
    expect(renderTable(report, { columns: 80, color: false })).not.toContain('\u001b');
  });
});

describe('report.md', () => {
  it('keeps markup in names and notes inert', () => {
    const text = renderMarkdown(report);
    expect(text).toContain('# a &lt;b\\>name&lt;/b\\> \\| with traps');
    expect(text).toContain('kept \\| classifier in float');
    expect(text).not.toContain('<b>');
  });

  it('is short enough for a pull-request comment', () => {
    expect(renderMarkdown(report).split('\n').length).toBeLessThan(60);
  });
});
