import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderCsv } from '../../reports/csv.ts';
import { compareRuns } from '../../reports/diff/compare.ts';
import { loadSide } from '../../reports/diff/load.ts';
import { renderDiffMarkdown } from '../../reports/diff/markdown.ts';
import { loadReport } from '../../reports/load.ts';
import { renderMarkdown } from '../../reports/markdown.ts';
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

/** A report made from records tells where it is made now, and is sealed anew where it says more. */
const made = (report: object): object => ({ ...report, environment: null, checksum: null });

const bands = { latency: 0.05, quality: 0 };

describe.each(runs)('the report of the earlier run %s', (run) => {
  it('is opened, and shown as it was', async () => {
    const report = await loadReport(golden(run, 'report.json'));
    expect(renderTable(report, { columns: 120, color: false })).toBe(text(run, 'report.txt'));
    expect(renderMarkdown(report)).toBe(text(run, 'report.md'));
    expect(renderCsv(report)).toBe(text(run, 'report.csv'));
  });

  it('is made again from its records, every figure under its name as it was', async () => {
    const report = asJson(await loadReport(golden(run)));
    expect(made(report)).toMatchObject(made(json(run, 'report.json')));
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
