import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare, plan, report, runs } from '../../pipeline/api/index.ts';
import type { Comparison } from '../../reports/comparison/comparison.ts';
import { comparisonSchema } from '../../reports/comparison/schema.ts';
import type { Report } from '../../reports/report.ts';
import { decant, type Result, tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

/** Three recipes: one trains longer, one only has no baseline beside it. */
const pipeline = `name: tiny
seeds: [3, 5]
data: { uses: csv, file: tiny.csv, maxLength: 16, labelled: 100 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
variants:
  - { id: short }
  - { id: long, set: { stages.teacher.steps: 60 } }
  - { id: bare, set: { baseline: none } }
stages:
  - { id: teacher, uses: train, steps: 2, batch: 16, architecture: { hidden: 32, layers: 1, heads: 2, ffn: 64, vocabulary: 300 } }
`;

const space = workspace();
const run = (...args: readonly string[]): Promise<Result> => decant(['run', ...args], { cwd: space.folder });
const textOf = (file: string): string => readFileSync(space.path('runs/tiny', file), 'utf8');
const comparison = (): Comparison => comparisonSchema.parse(JSON.parse(textOf('comparison.json')));
const shaOf = (folder: string): string | undefined => {
  const { stages }: Report = JSON.parse(readFileSync(space.path(folder, 'report.json'), 'utf8'));
  return stages.find(({ id }) => id === 'teacher')?.model?.sha256;
};

const done = ({ stdout }: Result, what = 'done in'): readonly string[] =>
  [...stdout.matchAll(new RegExp(`^(\\w+) +seed (\\d+) +(\\S+) +${what}`, 'gm'))].map(([, ...names]) =>
    names.join(' '),
  );

const judging = ['teacher', 'teacher/evaluate', 'teacher/validate', 'measure'];
const of = (variant: string, seed: number, steps: readonly string[]): readonly string[] =>
  steps.map((step) => `${variant} ${seed} ${step}`);

describe('a pipeline of three variants and two seeds', () => {
  let killed: Result;
  let resumed: Result;
  beforeAll(async () => {
    space.write('tiny.csv', tinyCsv());
    space.write('pipeline.yaml', pipeline);
    killed = await decant(['run'], {
      cwd: space.folder,
      onText: (text, child) => void (/^long +seed 5 +teacher +started/m.test(text) && child.kill('SIGKILL')),
    });
    resumed = await run();
  });
  afterAll(() => space[Symbol.dispose]());

  it('makes what they share once, and goes on where it was killed', () => {
    expect([killed.signal, resumed.code, resumed.stderr]).toEqual(['SIGKILL', 0, '']);
    expect(done(killed)).toEqual([
      ...of('short', 3, ['dataset', 'baseline', ...judging]),
      ...of('short', 5, judging),
      ...of('long', 3, judging),
    ]);
    expect(done(resumed)).toEqual(of('long', 5, judging));
    expect(done(resumed, 'reused')).toHaveLength(4 * 6 + 2 * 5 - judging.length);
  });

  it('ends with the bytes that it would have had', async () => {
    const args = ['--variant', 'long', '--set', 'seed=5', '--until', 'teacher', '--out', 'other'];
    const again = await run(...args, '--force', 'teacher');
    expect(again.stdout).toMatch(/^long +teacher +done in/m);
    expect(shaOf('other/long')).toBe(shaOf('runs/tiny/long/seed-5'));
    expect(shaOf('other/long')).not.toBe(shaOf('runs/tiny/long/seed-3'));
  });

  it('sets them side by side, and chooses by validation texts', () => {
    const { recipes, comparisons, refusals, chosen, missing, baseline, stage } = comparison();
    expect([baseline, stage, missing]).toEqual(['short', 'teacher', []]);
    expect(recipes.map(({ id, seeds, overrides }) => [id, seeds, overrides])).toEqual([
      ['short', [3, 5], []],
      ['long', [3, 5], ['stages.teacher.steps=60']],
      ['bare', [3, 5], ['baseline=none']],
    ]);
    expect(comparisons).toMatchObject([{ recipe: 'long', versus: 'short', paired: true, seeds: 2 }]);
    expect(refusals).toEqual([{ recipe: 'bare', versus: 'short', reason: 'the models are the same, byte for byte' }]);
    expect(recipes.map(({ validation }) => validation?.length)).toEqual([2, 2, 2]);
    expect(['short', 'long']).toContain(chosen);
    for (const file of ['comparison.md', 'comparison.html', 'short/report.html', 'long/seed-5/report.json']) {
      expect(existsSync(space.path('runs/tiny', file))).toBe(true);
    }
    expect(resumed.stdout).toMatch(
      /\nBy accuracy of teacher, against short: long .*Chosen on the validation\s+texts: /s,
    );
  });

  it('is told the same by compare, from folders and in programs', async () => {
    const written = comparison();
    const told = await decant(['compare', 'runs/tiny', '--json'], { cwd: space.folder });
    expect([told.code, told.stderr]).toEqual([0, '']);
    const recipes = written.recipes.map((one) => ({ ...one, where: `runs/tiny/${one.id}` }));
    expect(JSON.parse(told.stdout)).toEqual({ ...JSON.parse(textOf('comparison.json')), recipes });
    const folders = ['short', 'long'].map((id) => space.path('runs/tiny', id));
    const two = await compare(folders, { on: 'validation', baseline: 'long' });
    expect([two.on, two.baseline, two.comparisons.length]).toEqual(['validation', 'long', 1]);
    expect(two.recipes[0]?.stages[0]?.quality?.values).toEqual(written.recipes[0]?.validation);
  });

  it('is listed variant by variant, and has no report of its own', async () => {
    const listed = await runs(space.path('runs'));
    expect(listed.map(({ run: where }) => where.slice(where.lastIndexOf('runs/'))).toSorted()).toEqual([
      ...['runs/tiny/bare', 'runs/tiny/long', 'runs/tiny/short'],
    ]);
    await expect(report(space.path('runs/tiny'))).rejects.toThrow('holds variants: name one of its folders');
  });

  it('takes all from the store the second time, with the same bytes', async () => {
    const before = ['json', 'md', 'html'].map((format) => textOf(`comparison.${format}`));
    const warm = await run('--json');
    expect([warm.code, /started/.test(warm.stderr)]).toEqual([0, false]);
    expect(JSON.parse(warm.stdout)).toEqual(JSON.parse(textOf('comparison.json')));
    expect(['json', 'md', 'html'].map((format) => textOf(`comparison.${format}`))).toEqual(before);
  });

  it('knows its variants', async () => {
    await expect(
      plan(space.path('pipeline.yaml'), { variants: ['lang'] }),
    ).rejects.toThrow(`--variant:1:11: there is no variant "lang" [unknown-variant]
  1 | --variant lang
    |           ^^^^
    = did you mean "long"?
`);
  });
});
