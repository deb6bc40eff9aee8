import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { Report } from '../../reports/report.ts';
import { decant, type Result } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const words = ['dog', 'fox', 'bird', 'sun', 'stove', 'coffee', 'people', 'books'];

/** Ratings around 150: ten a dog, less ten a stove. */
const ratingsCsv = (): string => {
  const random = stream(5, 'ratings');
  const lines = Array.from({ length: 420 }, () => {
    const text = Array.from({ length: 4 + random.integer(5) }, () => words[random.integer(8)] ?? '');
    const count = (word: string): number => text.filter((one) => one === word).length;
    return `${text.join(' ')},${150.5 + 10 * count('dog') - 10 * count('stove')}`;
  });
  return `text,rating\n${[...new Set(lines)].join('\n')}\n`;
};

const pipeline = `name: ratings
data: { uses: csv, file: ratings.csv, task: score, label: rating, maxLength: 16 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: teacher, uses: train, architecture: { hidden: 64, layers: 1, heads: 2, ffn: 128, vocabulary: 300 }, epochs: 12, batch: 16, learningRate: 0.005 }
  - { id: slim, uses: prune, keep: { ffn: 50% }, examples: 64 }
  - { id: student, uses: distill, teacher: teacher, epochs: 4, batch: 16 }
  - { id: int8, uses: quantize }
  - { id: deploy, uses: export, from: { fp32: student, q8: int8 } }
gates:
  int8:
    spearman: { min: 0.7, maxDrop: 0.1, versus: teacher }
    meanSquaredError: { max: 60, maxRise: 40, versus: teacher }
  student:
    meanSquaredError: { max: 0.0001 }
`;

describe('numbers of texts', () => {
  const space = workspace();
  let run: Result;
  let report: Report;
  const at = (...args: readonly string[]): Promise<Result> => decant(args, { cwd: space.folder });
  beforeAll(async () => {
    space.write('ratings.csv', ratingsCsv());
    space.write('pipeline.yaml', pipeline);
    run = await at('run', '--json');
    report = JSON.parse(run.stdout);
  });
  afterAll(() => space[Symbol.dispose]());

  it('go through every stage in the unit of the file', () => {
    expect(run.stderr).not.toContain('failed: ');
    const quality = Object.fromEntries(report.stages.map((stage) => [stage.id, stage.quality]));
    for (const id of ['teacher', 'student', 'int8']) {
      expect(quality[id]).toMatchObject({ metric: 'spearman' });
      expect([id, (quality[id]?.score ?? 0) > 0.8]).toEqual([id, true]);
      // The ratings have a variance of some 130.
      expect([id, (quality[id]?.more.meanSquaredError?.value ?? 1000) < 50]).toEqual([id, true]);
    }
    expect(report.data).toMatchObject({ task: 'score', classes: [] });
  });

  it('are compared with a ridge regression and with their mean, which ranks nothing', () => {
    expect(report.data.baselines).toMatchObject({
      mean: { score: null, more: { meanSquaredError: expect.any(Number) } },
      ridge: { score: expect.any(Number), called: 'ridge on a bag of words' },
    });
  });

  it('are held against limits at the end at which they are bad', () => {
    const outcomes = report.gates.map(({ stage, figure, limit, outcome }) => [stage, figure, limit, outcome]);
    expect(outcomes).toEqual([
      ['int8', 'spearman', 'min', 'passed'],
      ['int8', 'spearman', 'maxDrop', 'passed'],
      ['int8', 'meanSquaredError', 'max', 'passed'],
      ['int8', 'meanSquaredError', 'maxRise', 'passed'],
      ['student', 'meanSquaredError', 'max', 'failed'],
    ]);
    expect(run.code).toBe(3);
  });

  it('are told in their own words on the terminal, in Markdown and in HTML', async () => {
    const { stdout } = await at('report', 'runs/ratings');
    expect(stdout.replace(/\s+/g, ' ')).toMatch(
      /the Spearman correlation is 0\.\d{3} \(0\.\d+ to \d\.\d+\) over \d+ test texts/,
    );
    expect(stdout).toMatch(/stage +Spearman +difference \[95 %\]/);
    expect(stdout).toMatch(/Pearson +mean squared error/);
    expect(stdout.replace(/\s+/g, ' ')).toMatch(/to be beaten: .*ridge \(ridge on a bag of words/);
    expect(stdout).toMatch(/^ridge +0\.\d{3} /m);
    const [markdown, html] = ['report.md', 'report.html'].map((file) =>
      readFileSync(space.path('runs/ratings', file), 'utf8'),
    );
    expect(markdown).toContain('| stage | Spearman | difference [95 %] |');
    expect(html).toContain('mean squared error [95 %]');
    for (const text of [stdout, markdown, html]) expect(text).not.toMatch(/accuracy|NaN|undefined| points/);
  });

  it('are told apart from noise between two runs', async () => {
    space.write('worse.yaml', pipeline.replace('name: ratings', 'name: worse').replace('epochs: 12', 'steps: 2'));
    await at('run', 'worse.yaml', '--until', 'teacher');
    const { stdout } = await at('diff', 'runs/ratings', 'runs/worse');
    expect(stdout).toMatch(/teacher +Spearman +0\.\d{3} +\S+ +-0\.\d{3} \[-\d\.\d{3}, -\d\.\d{3}\] +worse/);
  });

  it('are predicted, alone and from an export', async () => {
    const texts = ['dog dog dog sun books', 'stove stove stove sun books'];
    for (const folder of ['runs/ratings/models/student', 'runs/ratings/deploy']) {
      const { stdout } = await at('predict', folder, ...texts, '--json');
      const [high, low]: { score: number }[] = JSON.parse(stdout);
      expect([folder, (high?.score ?? 0) > 160, (low?.score ?? 1000) < 140]).toEqual([folder, true, true]);
    }
    const { stdout } = await at('predict', 'runs/ratings/deploy', texts[0] ?? '');
    expect(stdout).toMatch(/^dog dog dog sun books\n {2}\d{3}(?:\.\d)?\n$/);
    const { stdout: inspected } = await at('inspect', 'runs/ratings/models/student');
    expect(inspected).toMatch(/^task +score$/m);
  });

  it('have no classes that could be weighed', async () => {
    space.write('weighed.yaml', pipeline.replace('epochs: 12', 'epochs: 12, classWeights: balanced'));
    const { code, stdout, stderr } = await at('validate', 'weighed.yaml');
    expect(code).toBe(2);
    expect(stdout + stderr).toContain('data for score has no classes to balance: leave classWeights out');
  });

  it('leave a folder whose files say that they give one number', () => {
    const config = JSON.parse(readFileSync(space.path('runs/ratings/deploy/config.json'), 'utf8'));
    expect(config).toMatchObject({ problem_type: 'regression', id2label: { 0: 'LABEL_0' } });
    expect(readFileSync(space.path('runs/ratings/deploy/README.md'), 'utf8')).toContain('Spearman');
  });
});
