import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../reports/report.ts';
import { decant, tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());

/** What only the run can know: which tokens the texts leave. */
const pipeline = `name: halfway
data: { uses: csv, file: tiny.csv, maxLength: 16 }
baseline: none
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: teacher, uses: train, steps: 4, batch: 16, architecture: { hidden: 16, layers: 1, heads: 2, ffn: 16, vocabulary: 300 } }
  - { id: cut, uses: prune, keep: { vocabulary: 3 } }
  - { id: student, uses: distill, teacher: teacher, steps: 2, batch: 16 }
  - { id: deploy, uses: export, from: { fp32: student } }
`;

const run = (...args: readonly string[]) => decant(args, { cwd: space.folder });

/** What a folder's reports say, and what the terminal does of its records. */
const told = async (out: string) => {
  const text = (name: string): string => readFileSync(space.path(out, name), 'utf8');
  const report: Report = JSON.parse(text('report.json'));
  const [, , markdown = ''] = text('report.md').split('\n');
  const [, html = ''] = /<p class="verdict">(.*)<\/p>/.exec(text('report.html')) ?? [];
  const terminal = (await run('report', out)).stdout.replace(/\s+/g, ' ');
  return { report, markdown, html, terminal };
};

beforeAll(() => {
  space.write('tiny.csv', tinyCsv());
  space.write('other.csv', tinyCsv());
  space.write('pipeline.yaml', pipeline);
});

describe('a run that failed in the middle', () => {
  it('leaves reports of what is done, which begin with why it failed and what is missing', async () => {
    const ended = await run('run', '--out', 'failed');
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('Stage "cut" failed: keep.vocabulary: 3')]);
    const { report, markdown, html, terminal } = await told('failed');
    expect(report.stages.map(({ id }) => id)).toEqual(['teacher']);
    expect(report.unfinished).toEqual({
      step: 'cut',
      message: expect.stringMatching(/^keep\.vocabulary: 3 tokens were to be kept/),
      missing: ['cut', 'student', 'deploy', 'measure'],
    });
    // Behind the log of the steps.
    const shown = ended.stdout.slice(ended.stdout.indexOf('\n\n')).trim().replace(/\s+/g, ' ');
    for (const text of [markdown, html, terminal, shown]) {
      expect(text).toMatch(/^(?:\*\*)?This run is unfinished: it failed in cut \(keep\.vocabulary: 3 tokens/);
      expect(text).toContain('Missing: cut, student, deploy, measure.');
      expect(text).toMatch(/it is right on \d+\.\d % .*of \d+ test texts/);
    }
  });

  it('is of one seed among several: the whole says which, and which were never begun', async () => {
    await run('run', '--set', 'seeds=[3, 5, 8]', '--out', 'seeds');
    const { report, markdown } = await told('seeds');
    expect(report.unfinished?.step).toBe('cut of seed 3');
    expect(report.unfinished?.missing).toEqual(['cut', 'student', 'deploy', 'measure', 'seed 5', 'seed 8']);
    expect(markdown).toContain('it failed in cut of seed 3 (');
  });
});

describe('a run that was asked to end early', () => {
  it('leaves reports that begin with where it ended and what is missing', async () => {
    expect((await run('run', '--until', 'teacher', '--out', 'early')).code).toBe(0);
    const { report, markdown, html, terminal } = await told('early');
    expect(report.unfinished).toEqual({ step: null, message: null, missing: ['cut', 'student', 'deploy'] });
    for (const text of [markdown, html, terminal])
      expect(text.replaceAll('\\', '')).toMatch(
        /^(?:\*\*)?This run is unfinished: it ended after teacher, as --until asked\. Missing: cut, student, deploy\. teacher: /,
      );
  });
});

describe('a whole run', () => {
  const whole = ['run', '--set', 'stages.cut.keep={ ffn: 50% }'];

  it('says nothing of the kind, also where the last stage is named', async () => {
    expect((await run(...whole, '--until', 'deploy', '--out', 'whole')).code).toBe(0);
    const { report, markdown, terminal } = await told('whole');
    expect(report).not.toHaveProperty('unfinished');
    for (const text of [markdown, terminal]) expect(text).not.toMatch(/unfinished|Missing/);
  });

  it('takes the place of one that was not', async () => {
    expect((await run(...whole, '--out', 'failed')).code).toBe(0);
    const { report, markdown } = await told('failed');
    expect(report).not.toHaveProperty('unfinished');
    expect(markdown).not.toContain('unfinished');
  });

  it('leaves a card with its title, the name of its data and the languages that were given', async () => {
    const card = (out: string): string => readFileSync(space.path(out, 'deploy/README.md'), 'utf8');
    expect(card('whole')).toMatch(/^# halfway$/m);
    expect(card('whole')).toMatch(/test texts of tiny\.csv/);
    expect(card('whole')).toContain('Languages: not known.');
    const sets = ['--set', 'data.file=other.csv', '--set', 'stages.deploy.languages=[en, de]'];
    expect((await run(...whole, ...sets, '--out', 'other')).code).toBe(0);
    expect(card('other')).toMatch(/test texts of other\.csv/);
    expect(card('other')).not.toContain('tiny.csv');
    expect(card('other')).toContain('Languages: en, de.');
    const wrong = await run('validate', '--set', 'stages.deploy.languages=[english]');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('expected the code of a language')]);
  });
});
