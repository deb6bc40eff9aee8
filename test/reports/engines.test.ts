import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import type { EngineTimes, MeasuredOn, Measurements, Times } from '../../data/measurements.ts';
import { cardWithFigures } from '../../reports/card.ts';
import { renderCsv } from '../../reports/csv.ts';
import { compareRuns, type DiffSide } from '../../reports/diff/compare.ts';
import { lackingNotes } from '../../reports/engines.ts';
import type { Gate } from '../../reports/gates/gate.ts';
import { judge } from '../../reports/gates/judge.ts';
import { renderHtml } from '../../reports/html/page.ts';
import { allMeasurements, latencies } from '../../reports/latencies.ts';
import { renderMarkdown } from '../../reports/markdown.ts';
import type { Report } from '../../reports/report.ts';
import { parseReport, reportJson } from '../../reports/schema/index.ts';
import { renderTable } from '../../reports/terminal.ts';
import { mainCause, verdict } from '../../reports/verdict.ts';
import { fullReport } from './sample.ts';

const gpu: MeasuredOn = {
  ...{ engine: 'webgpu', device: 'Some <b>GPU</b>', driver: '570.1' },
  versions: { onnxruntime: '1.30.0' },
};
const cpu: MeasuredOn = { engine: 'cpu', device: 'some cpu', versions: {} };

/** Two cells, and two processes of two rounds each. */
const times = (ms: number, rounds: readonly number[] = [1, 1.1, 1, 1.1]): Times =>
  [1, 10].map((cell) => rounds.map((round) => ({ ms: [ms * cell * round], waited: 0.01 })));

/** No two processes see a kernel and a model slow down alike. */
const kernelTimes = (ms: number): Times => times(ms, [1, 1.1, 1.02, 1.12]);

const timed = (models: EngineTimes['models'], kernel: Times): EngineTimes => ({
  load: { average: [0.5, 1.5], stolen: 0.02 },
  processes: [2, 2].map((rounds) => ({ rounds, switches: 3, warmUp: {} })),
  kernel: { name: 'matmul-12x256x128', times: kernel },
  models,
  loading: { teacher: { sessionMs: [30], firstRunMs: [3], peakBytes: [7e7], waited: [0] } },
  runtime: { peakBytes: [5e7] },
});

const onHost = timed({ teacher: times(8), student: times(2), int8: times(1) }, kernelTimes(0.5));
const onGpu: EngineTimes = {
  ...timed({ teacher: times(3.2), student: times(1.6) }, kernelTimes(0.1)),
  lacking: { int8: ['DynamicQuantizeLinear', 'MatMulInteger'] },
};
const frame = {
  schema: 'decant.measurements/3',
  threads: 1,
  cells: [
    { batch: 1, length: 15 },
    { batch: 32, length: 15 },
  ],
} as const;
const hostFirst: Measurements = { ...frame, ...onHost, others: [{ ...onGpu, on: gpu }] };
const gpuFirst: Measurements = { ...frame, ...onGpu, on: gpu, others: [{ ...onHost, on: cpu }] };
const hostAlone: Measurements = { ...frame, ...onHost };

/** The sample with the figures of a measurement, put together as the report of a run is. */
const reportOf = (measurements: Measurements): Report => {
  const full = fullReport();
  const measurement = allMeasurements(measurements);
  const stages = full.stages.map((stage) => {
    const told = { ...stage, ...latencies(measurements, stage.id, 'teacher') };
    return { ...told, notes: [...told.notes, ...lackingNotes(told, { measurement })] };
  });
  return { ...full, measurement, stages };
};

const stageIn = ({ stages }: Report, id: string) => {
  const stage = stages.find((one) => one.id === id);
  if (stage === undefined) throw new Error(`there is no ${id}`);
  return stage;
};

const note = 'it was not timed on webgpu, which has no kernel for DynamicQuantizeLinear, MatMulInteger';

describe('figures of two engines', () => {
  const report = reportOf(hostFirst);
  const student = stageIn(report, 'student');

  it('are divided by the reference and the kernel of the same engine', () => {
    expect(student.latency.map(({ speedup }) => speedup)).toEqual([expect.closeTo(4, 9), expect.closeTo(4, 9)]);
    const [other] = student.otherEngines ?? [];
    expect(other).toMatchObject({ engine: 'webgpu', loading: null });
    expect(other?.latency.map(({ speedup }) => speedup)).toEqual([expect.closeTo(2, 9), expect.closeTo(2, 9)]);
    expect(other?.latency[0]?.relative?.estimate).toBeCloseTo(15.85, 2);
    expect(report.measurement).not.toHaveProperty('on');
    expect(report.measurement?.otherEngines).toMatchObject([{ on: gpu, rounds: 4, processes: 2 }]);
  });

  it('are none where the engine has no kernel, and a note says which', () => {
    const int8 = stageIn(report, 'int8');
    expect(int8.latency).toHaveLength(2);
    expect(int8.otherEngines).toEqual([
      { engine: 'webgpu', latency: [], loading: null, lacking: ['DynamicQuantizeLinear', 'MatMulInteger'] },
    ]);
    expect(int8.notes).toContain(note);
    expect(student.notes).not.toContain(note);
    expect(stageIn(report, 'deploy')).not.toHaveProperty('otherEngines');
  });

  it('leave no trace where the CPU is measured alone', () => {
    const alone = reportOf(hostAlone);
    expect(JSON.stringify(alone)).not.toMatch(/otherEngines|lacking|"on":/);
    expect(allMeasurements(hostAlone).load).not.toBeNull();
  });

  it.each([
    ['the CPU first', hostFirst],
    ['a device first', gpuFirst],
  ])('are read again from report.json as they were written, %s', (_, measurements) => {
    const written = reportOf(measurements);
    expect(parseReport(JSON.stringify(reportJson(written)), 'report.json')).toMatchObject({
      measurement: written.measurement,
      stages: written.stages.map(({ latency, otherEngines = [] }) => ({
        latency,
        ...(otherEngines.length === 0 ? {} : { otherEngines }),
      })),
    });
  });
});

/** Cells of the row of a stage in the first table with such a column, by title. */
const cellsOf = (lines: readonly string[], id: string): Readonly<Record<string, string>> => {
  const rows = lines
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('*', '')));
  const head = rows[0] ?? [];
  const row = rows.find(([, name]) => name === id) ?? [];
  return Object.fromEntries(head.map((title, c) => [title, row[c] ?? '']));
};

describe('tables of two engines', () => {
  const report = reportOf(hostFirst);

  it('have a column each in the terminal, and say what it was', () => {
    const text = renderTable(report, { columns: 300, color: false });
    expect(text).toMatch(/p50 ms, webgpu +speed-up, webgpu +p50 ms, webgpu, batch 32 +speed-up, webgpu, batch 32/);
    expect(text).toContain('beside it on webgpu (Some <b>GPU</b>, driver 570.1), paired within each');
    expect(text).toContain('times on webgpu hold the way to the device and back');
    expect(text).toContain(`int8: ${note}`);
  });

  it('have a column each in Markdown, with names that are no markup', () => {
    const text = renderMarkdown(report);
    const student = cellsOf(text.split('\n'), 'student');
    expect(student).toMatchObject({ 'p50 ms': '2.10', 'speed-up': '4.0x', 'p50 ms, webgpu': '1.68' });
    expect(student).toMatchObject({ 'speed-up, webgpu': '2.0x', 'p50 ms, webgpu, batch 32': '16.80' });
    expect(cellsOf(text.split('\n'), 'int8')).toMatchObject({ 'p50 ms': '1.05', 'p50 ms, webgpu': '' });
    // The page has room for every answer and every engine; in a comment answers and notes come first.
    const short = { ...report, answers: null, stages: report.stages.map((stage) => ({ ...stage, notes: [] })) };
    expect(renderMarkdown(short)).toContain('<details><summary>The same on webgpu</summary>');
    expect(text).toContain('Some &lt;b&gt;GPU');
    expect(text).not.toContain('<b>GPU');
  });

  it('have a section each in HTML, and no row of a stage that was not timed', async () => {
    const page = await renderHtml(report);
    const section = page.slice(page.indexOf('<h3>On webgpu</h3>'), page.indexOf('id="time"'));
    expect(section).toContain('On webgpu (Some &lt;b&gt;GPU&lt;/b&gt;, driver 570.1), onnxruntime 1.30.0.');
    expect(section).toContain('By the clock, with the way of inputs and answers to the device and back');
    const table = section.slice(section.indexOf('aria-label="Latency at one text of 15 tokens on webgpu"'));
    const rows = table.slice(0, table.indexOf('</table>'));
    expect(rows).toContain('>student</th>');
    expect(rows).not.toContain('>int8</th>');
  });

  it('have columns each in CSV', () => {
    const rows: readonly Record<string, string>[] = parse(renderCsv(report), { columns: true });
    const [student, int8] = ['student', 'int8'].map((id) => rows.find(({ stage }) => stage === id));
    expect(Number(student?.p50_ms_batch_1_length_15)).toBeCloseTo(2.1, 9);
    expect(Number(student?.p50_ms_webgpu_batch_1_length_15)).toBeCloseTo(1.68, 9);
    expect(Number(student?.speedup_webgpu_batch_32_length_15)).toBeCloseTo(2, 9);
    expect(int8?.p50_ms_webgpu_batch_1_length_15).toBe('');
  });

  it('have columns each in the model card', () => {
    const card = cardWithFigures('---\na: b\n---\nPLACE', 'PLACE', report, stageIn(report, 'deploy'));
    expect(cellsOf(card.split('\n'), 'fp32 (student)')).toMatchObject({ 'p50 ms, webgpu': '1.68' });
    expect(cellsOf(card.split('\n'), 'q8 (int8)')).toMatchObject({ 'p50 ms': '1.05', 'speed-up, webgpu': '' });
    expect(card).toContain('1 thread on some cpu');
  });
});

describe('a device that is measured first', () => {
  const report = reportOf(gpuFirst);

  it('is what the headline speaks of, and causes are said to be those of the CPU', () => {
    const of = (id: string): Report => ({
      ...report,
      stages: report.stages.filter((stage) => stage.id === 'teacher' || stage.id === id),
    });
    expect(verdict(of('student'))).toMatch(
      /^student is 2\.0\d* times as fast as teacher .*on webgpu and 3\.1 times smaller/,
    );
    expect(verdict(of('int8'))).toMatch(
      /^int8 is 11\.4 times smaller; .* Its speed is not told: on webgpu there is no kernel for DynamicQuantizeLinear, MatMulInteger\. Against the linear bag of words/,
    );
    expect(mainCause(report)).toMatch(/^Why int8 is not faster still on the CPU, by a profile of its own: /);
  });

  it('stands with its device where figures have no name of their own', () => {
    const text = renderTable(report, { columns: 300, color: false });
    expect(text).toContain(
      'p50 at batch 1, 15 tokens, webgpu (Some <b>GPU</b>, driver 570.1); beside it on cpu (some cpu)',
    );
    expect(text).toMatch(/p50 ms, cpu +speed-up, cpu/);
    const card = cardWithFigures('---\na: b\n---\nPLACE', 'PLACE', report, stageIn(report, 'deploy'));
    expect(card).toContain('15 tokens, webgpu (Some &lt;b&gt;GPU');
    expect(card).not.toContain('on some cpu');
  });

  it('is what gates are about: a model that it cannot run is undecided, with the reason', () => {
    const gate: Gate = {
      ...{ stage: 'student', figure: 'p50', limit: 'max', value: 1.9, versus: null },
      ...{ confidence: 0.95, batch: null, length: null },
    };
    const evidence = {
      side: { report, scores: new Map(), examples: null },
      baseline: null,
      before: (id: string) => id,
    };
    expect(judge(gate, evidence)).toMatchObject({ outcome: 'passed', found: { estimate: expect.closeTo(1.68, 9) } });
    expect(judge({ ...gate, stage: 'int8' }, evidence)).toMatchObject({ outcome: 'undecided', reason: note });
  });
});

describe('a diff', () => {
  const sideOf = (report: Report): DiffSide => ({
    ...{ report, scores: new Map(), examples: null },
    name: { where: 'x', name: report.name, created: report.created },
  });
  const diffOf = (before: Report, after: Report) =>
    compareRuns({ before: sideOf(before), after: sideOf(after) }, { latency: 0.05, quality: 0 }, null);
  const refusalsIn = (before: Report, after: Report, id: string): readonly string[] =>
    (diffOf(before, after).stages.find((stage) => stage.id === id)?.refusals ?? [])
      .filter(({ kind }) => kind === 'latency')
      .map(({ reason }) => reason);
  const newer: MeasuredOn = { ...gpu, versions: { onnxruntime: '1.31.0' } };

  it('compares the first engines where they are the same, whatever stands beside them', () => {
    expect(refusalsIn(reportOf(hostAlone), reportOf(hostFirst), 'student')).toEqual([]);
    expect(refusalsIn(reportOf(gpuFirst), reportOf(gpuFirst), 'student')).toEqual([]);
  });

  it.each([
    ['engines', hostFirst, gpuFirst, 'measured on other engines: the CPU and webgpu (Some <b>GPU</b>, driver 570.1)'],
    [
      'devices',
      gpuFirst,
      { ...gpuFirst, on: { ...gpu, device: 'Another' } },
      'measured on other engines: webgpu (Some <b>GPU</b>, driver 570.1) and webgpu (Another, driver 570.1)',
    ],
    [
      'versions',
      gpuFirst,
      { ...gpuFirst, on: newer },
      'measured with other versions on webgpu (Some <b>GPU</b>, driver 570.1): onnxruntime 1.30.0 and onnxruntime 1.31.0',
    ],
  ])('refuses latencies of other %s', (_, before, after, reason) => {
    expect(refusalsIn(reportOf(before), reportOf(after), 'student')).toEqual([reason]);
    expect(diffOf(reportOf(before), reportOf(after)).changes.map(({ key }) => key)).toEqual(
      after.on === newer ? [] : ['measurement.on'],
    );
  });

  it('says which kernels a side had not', () => {
    expect(refusalsIn(reportOf(hostFirst), reportOf(gpuFirst), 'int8')).toEqual([
      `no latency was measured in B: ${note}`,
    ]);
  });
});
