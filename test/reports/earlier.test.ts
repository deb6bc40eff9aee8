import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dataTask } from '../../ground/tasks.ts';
import { renderCsv } from '../../reports/csv.ts';
import { compareRuns } from '../../reports/diff/compare.ts';
import { loadSide } from '../../reports/diff/load.ts';
import { renderDiffMarkdown } from '../../reports/diff/markdown.ts';
import { loadReport } from '../../reports/load.ts';
import { renderMarkdown } from '../../reports/markdown.ts';
import { parseReport, reportJson } from '../../reports/schema/index.ts';
import { renderTable } from '../../reports/terminal.ts';
import { root } from '../rig/build.ts';
import { decant } from '../rig/cli.ts';

/** Runs of the version before metrics were data, each with records, report.json and what was printed of it. */
const runs = ['texts', 'before', 'tags', 'vectors'] as const;

const golden = (...parts: readonly string[]): string => [`${root}test/golden/reports`, ...parts].join('/');
const text = (...parts: readonly string[]): string => readFileSync(golden(...parts), 'utf8');
const json = (...parts: readonly string[]): object => JSON.parse(text(...parts));

/** As JSON has it: what is undefined is not there, NaN is null. */
const asJson = (value: unknown): object => JSON.parse(JSON.stringify(value));

/** Of vectors the score was called as that of classes was: it goes by the name of its own metric now. */
const renamed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(renamed);
  if (typeof value !== 'object' || value === null) return value;
  const name = (key: string): string => key.replace(/^accuracy(?=$|Interval$)/, 'cosine');
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [name(key), renamed(inner)]));
};

/** Rows of a CSV by the titles of its columns, those without a figure left out. */
const rowsOf = (csv: string): readonly Readonly<Record<string, string>>[] => {
  const [head = [], ...rows] = csv
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','));
  return rows.map((cells) =>
    Object.fromEntries(cells.flatMap((cell, i) => (cell === '' ? [] : [[head[i] ?? '', cell]]))),
  );
};

const withoutAdvice = (stage: object): object => ({
  ...stage,
  causes: Object(stage).causes.map((cause: object) => ({ ...cause, advice: null })),
});

/** A report made from records tells where it is made now and what it advises now, and is sealed anew where it says more. */
const made = (report: object): object => {
  const stages = Object(report).stages.map(withoutAdvice);
  return { ...report, stages, environment: null, checksum: null };
};

const bands = { latency: 0.05, quality: 0 };

describe.each(runs)('the report of the earlier run %s', (run) => {
  it('is opened, and shown with the figures that it had', async () => {
    const report = await loadReport(golden(run, 'report.json'));
    const shown = renderTable(report, { columns: 120, color: false });
    await expect(shown).toMatchFileSnapshot(golden(run, 'report.txt'));
    await expect(renderMarkdown(report)).toMatchFileSnapshot(golden(run, 'report.md'));
    const csv = text(run, 'report.csv');
    if (run === 'vectors')
      expect(rowsOf(renderCsv(report))).toMatchObject(rowsOf(csv.replaceAll('accuracy', 'cosine')));
    else expect(renderCsv(report)).toBe(csv);
  });

  it('is written with every figure under the name of its metric, and read again as it is', async () => {
    const report = await loadReport(golden(run, 'report.json'));
    const written = JSON.stringify(reportJson(report));
    const { metric } = dataTask(report.data.task);
    const read = parseReport(written, 'report.json');
    expect(reportJson(read)).toEqual(JSON.parse(written));
    for (const { quality } of JSON.parse(written).stages) {
      if (quality === null) continue;
      expect([quality[metric.name], quality[`${metric.name}Interval`]]).toEqual([quality.score, quality.scoreInterval]);
    }
  });

  it('says of what its curves are: of the task that a stage was asked to train for, where that is another', () => {
    const before = Object(json(run, 'report.json'));
    const curve = [{ step: 1, epoch: 1, loss: 4, accuracy: 4.011 }];
    const training = { steps: 1, epochs: 1, tokensPerSecond: 1, paddingFraction: 0, curve };
    const asked = [{}, { task: 'fill-mask' }, { recover: { uses: 'train', task: 'fill-mask' } }];
    const stages = asked.map((config) => ({ ...before.stages[0], config, training }));
    const read = parseReport(JSON.stringify({ ...before, stages, checksum: undefined }), 'report.json');
    const { metric } = dataTask(read.data.task);
    expect(read.stages.map((stage) => stage.training?.metric)).toEqual([metric.name, 'nats', 'nats']);
    expect(read.stages.map((stage) => stage.training?.curve[0]?.score)).toEqual([4.011, 4.011, 4.011]);
  });

  it('is made again from its records, every figure under its name as it was', async () => {
    const report = asJson(reportJson(await loadReport(golden(run))));
    const before = json(run, 'report.json');
    expect(made(report)).toMatchObject(made(run === 'vectors' ? Object(renamed(before)) : before));
  });
});

describe('a diff of earlier runs', () => {
  it('tells from their predictions and from report.json alone what it told', async () => {
    const sides = async (...names: readonly [string, string]) => {
      const [before, after] = [await loadSide(golden(names[0])), await loadSide(golden(names[1]))];
      return asJson(compareRuns({ before, after }, bands, null));
    };
    const named = { before: expect.anything(), after: expect.anything() };
    expect(await sides('before', 'texts')).toMatchObject({ ...json('diff.json'), ...named });
    const alone = await sides('before/report.json', 'texts/report.json');
    expect(alone).toMatchObject({ ...json('diff-unpaired.json'), ...named });
  });

  it('finds a run as it was when its report is made from the records of today', async () => {
    for (const run of runs) {
      const before = await loadSide(golden(run, 'report.json'));
      const after = { ...before, report: await loadReport(golden(run)) };
      const { stages } = compareRuns({ before, after }, bands, null);
      for (const { findings, changes, sizes } of stages) {
        expect([changes, sizes]).toEqual([[], []]);
        for (const { verdict, difference } of findings) expect([verdict, difference.estimate]).toEqual(['noise', 0]);
      }
    }
  });

  it('is printed by the command line as it was', async () => {
    const { code, stdout, stderr } = await decant(['diff', 'before', 'texts'], { cwd: golden() });
    expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: text('diff.txt') });
    const [before, after] = [await loadSide(golden('before')), await loadSide(golden('texts'))];
    const diff = { ...compareRuns({ before, after }, bands, null), ...namesOf(json('diff.json')) };
    expect(renderDiffMarkdown(diff)).toBe(text('diff.md'));
  });
});

const namesOf = (diff: object) => {
  const { before, after } = Object(diff);
  return { before, after };
};
