import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeModel } from '../../models/files.ts';
import { decant } from '../rig/cli.ts';
import { smallClassifier, writeSmallModels } from '../rig/small-models.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
const words = ['cat', 'dog', 'runs', 'sleeps', 'the', 'old', 'small'];
const labels = ['animal', 'motion', 'rest'];
const rows = Array.from({ length: 60 }, (_, i) => ({
  text: `${words[i % 7]} ${words[(i * 3) % 7]} ${words[(i * 5 + 1) % 7]}`,
  label: labels[i % 3] ?? '',
}));
const csv = (some: readonly { readonly text: string; readonly label: string }[]) =>
  `text,label\n${some.map(({ text, label }) => `${text},${label}\n`).join('')}`;

beforeAll(async () => {
  await writeSmallModels(space);
  space.write('held.csv', csv(rows));
  space.write('held.jsonl', rows.map(({ text, label }) => `${JSON.stringify({ body: text, kind: label })}\n`).join(''));
});
afterAll(() => space[Symbol.dispose]());

const run = (...args: readonly string[]) => decant(args, { cwd: space.folder });

const evaluated = async (...args: readonly string[]) => {
  const { code, stdout } = await run('evaluate', ...args, '--json');
  expect(code).toBe(0);
  return JSON.parse(stdout);
};

/** What predict says of each text, judged here. */
const shareRight = async (model: string): Promise<number> => {
  const input = rows.map(({ text }) => text).join('\n');
  const { stdout } = await decant(['predict', model, '--json'], { cwd: space.folder, input });
  const said: readonly { readonly label: string }[] = JSON.parse(stdout);
  return said.filter(({ label }, i) => label === rows[i]?.label).length / rows.length;
};

describe('evaluate', () => {
  it('judges models as their answers say, each beside the first on the same texts', async () => {
    const { task, data, models } = await evaluated('student', 'other', 'deploy', '--data', 'held.csv');
    expect({ task, data }).toEqual({
      task: 'text-classification',
      data: { file: 'held.csv', texts: 60, dropped: 0 },
    });
    const scores: readonly number[] = models.map((one: { quality: { score: number } }) => one.quality.score);
    for (const [i, name] of ['student', 'other', 'deploy'].entries())
      expect(scores[i]).toBeCloseTo(await shareRight(name), 10);
    expect(models[0].comparison).toBeNull();
    const { score, mcnemar } = models[1].comparison;
    expect(score.estimate).toBeCloseTo((scores[1] ?? 0) - (scores[0] ?? 0), 10);
    expect((mcnemar.gained - mcnemar.lost) / rows.length).toBeCloseTo(score.estimate, 10);
    expect(score.low).toBeLessThanOrEqual(score.estimate);
    expect(Object.keys(models[0].quality.more)).toContain('macroF1');
  });

  it('reads columns by name, and says all of it in a table', async () => {
    const named = await evaluated('student', '--data', 'held.jsonl', '--text', 'body', '--label', 'kind');
    expect(named.models[0].quality).toEqual((await evaluated('student', '--data', 'held.csv')).models[0].quality);
    const { stdout } = await run('evaluate', 'student', 'deploy', '--data', 'held.csv');
    expect(stdout).toMatch(/^model +accuracy % \[95 %\] +points \[95 %\] +right answers/);
    expect(stdout).toMatch(/^deploy .*\[.*\].*\+0 -0, p 1\.000/m);
  });

  it('compares models whose classes stand in another order', async () => {
    const model = smallClassifier();
    const turned = { ...model, info: { ...model.info, labels: ['rest', 'animal', 'motion'] } };
    await writeModel(space.path('turned'), turned);
    const { models } = await evaluated('student', 'turned', '--data', 'held.csv');
    expect(models[1].quality.score).toBeCloseTo(await shareRight('turned'), 10);
  });

  it('refuses labels that the model does not have, by their line, and rows without one unless they are dropped', async () => {
    space.write('typing-error.csv', csv([...rows, { text: 'the cat', label: 'animals' }]));
    space.write('gap.csv', csv([...rows, { text: 'the cat', label: '' }]));
    const wrong = await run('evaluate', 'student', '--data', 'typing-error.csv');
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      "typing-error.csv:62: 'animals' is no class of the model; did you mean 'animal'?\n",
    ]);
    const gap = await run('evaluate', 'student', '--data', 'gap.csv');
    expect([gap.code, gap.stderr]).toEqual([2, expect.stringMatching(/^gap\.csv:62.*--missing drop/)]);
    expect((await evaluated('student', '--data', 'gap.csv', '--missing', 'drop')).data).toMatchObject({
      texts: 60,
      dropped: 1,
    });
  });
});

describe('benchmark', () => {
  it('times models together at each batch and length, with ratios to the first or what computing took', async () => {
    const args = ['--batch', '1,4', '--length', '8', '--rounds', '3', '--processes', '2', '--loads', '1'];
    const { code, stdout } = await run('benchmark', 'student', 'deploy', ...args, '--json');
    expect(code).toBe(0);
    const { measurement, models } = JSON.parse(stdout);
    expect([measurement.rounds, measurement.processes]).toEqual([3, 2]);
    for (const { latency, compute, loading, bytes } of models) {
      expect(latency.map(({ batch, length }: { batch: number; length: number }) => [batch, length])).toEqual([
        [1, 8],
        [4, 8],
      ]);
      for (const { p50Ms, p99Ms } of latency) expect(p50Ms > 0 && p99Ms >= p50Ms).toBe(true);
      for (const { cpuMs, cpuSpeedup } of compute) expect(cpuMs > 0 && cpuSpeedup > 0).toBe(true);
      expect(loading.peakBytes).toBeGreaterThan(bytes);
    }
    expect(models[0].compute[0].cpuSpeedup).toBe(1);
    expect(models[1].bytes).toBeLessThan(models[0].bytes);
    const shown = await run('benchmark', 'student', ...args);
    expect(shown.stdout).toMatch(/^model +batch x tokens +p50 ms/);
    expect(shown.stdout).toMatch(/^student +4 x 8 /m);
  });

  it('refuses what a model cannot do before anything is timed', async () => {
    const long = await run('benchmark', 'student', '--length', '99');
    expect([long.code, long.stderr]).toEqual([2, 'student: takes at most 12 tokens, and --length asks for 99\n']);
    const twice = await run('benchmark', 'student', 'student');
    expect([twice.code, twice.stderr]).toEqual([2, 'student: is named twice; name each model once\n']);
  });
});
