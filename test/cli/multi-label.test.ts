import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { Report } from '../../reports/report.ts';
import { decant, type Result } from '../rig/cli.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const CLASSES = ['food', 'sport', 'travel', 'weather'] as const;
const words: Readonly<Record<(typeof CLASSES)[number], readonly string[]>> = {
  food: ['bread', 'soup', 'cheese', 'apple'],
  sport: ['goal', 'match', 'race', 'ball'],
  travel: ['train', 'hotel', 'flight', 'map'],
  weather: ['rain', 'snow', 'wind', 'sun'],
};
const others = ['the', 'a', 'we', 'saw', 'in', 'old', 'town', 'and', 'then', 'some'];

/** Texts with a word of each of their classes; the last one is rare, and a text may have none. */
const rows = (count: number) => {
  const random = stream(4, 'sets');
  return Array.from({ length: count }, (_, i) => {
    const labels = CLASSES.filter((name) => random.uniform() < (name === 'weather' ? 0.1 : 0.35));
    const told = labels.map((name) => words[name][random.integer(4)] ?? '');
    const filler = Array.from({ length: 4 }, () => others[random.integer(others.length)] ?? '');
    return { text: `${[...told, ...filler].sort(() => random.uniform() - 0.5).join(' ')} n${i}`, labels };
  });
};

const csvOf = (count: number): string =>
  `text,labels\n${rows(count)
    .map(({ text, labels }) => `${text},${labels.join(';')}\n`)
    .join('')}`;

const pipeline = `name: sets
data: { uses: csv, file: data.csv, label: labels, separator: ";", task: multi-label, maxLength: 16, labelled: 500 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - id: teacher
    uses: train
    epochs: 12
    batch: 16
    learningRate: 5.0e-3
    classWeights: balanced
    thresholds: fitted
    architecture: { hidden: 64, layers: 1, heads: 2, ffn: 256, vocabulary: 600 }
  - { id: slim, uses: prune, keep: { ffn: 50% }, examples: 64 }
  - { id: student, uses: distill, teacher: teacher, epochs: 3, batch: 16, thresholds: fitted }
  - { id: int8, uses: quantize }
  - { id: deploy, uses: export, from: { fp32: student, q8: int8 } }
gates:
  int8: { microF1: { min: 70%, maxDrop: 15pt, versus: teacher }, subsetAccuracy: { min: 40% } }
`;

describe('a pipeline of several classes a text', () => {
  let space: Workspace;
  let ran: Result;
  let report: Report;
  const file = (name: string): string => readFileSync(space.path('runs/sets', name), 'utf8');
  const run = (...args: readonly string[]) => decant(args, { cwd: space.folder });

  beforeAll(async () => {
    space = workspace();
    space.write('data.csv', csvOf(1200));
    space.write('pipeline.yaml', pipeline);
    ran = await run('run');
    report = JSON.parse(file('report.json'));
  });
  afterAll(() => space[Symbol.dispose]());

  it('trains, prunes, distils and quantizes, and holds its gates', () => {
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(report.data.task).toBe('multi-label');
    expect(report.data.unlabelled).toBeGreaterThan(300);
    const scores = report.stages.flatMap(({ quality }) => quality?.score ?? []);
    expect(scores.length).toBe(4);
    for (const score of scores) expect(score).toBeGreaterThan(report.data.baselines?.majority?.score ?? 1);
    expect(report.data.baselines?.linear?.score).toBeGreaterThan(0.8);
    // The most frequent set answers all texts: it is compared by pairs like what answers each by itself.
    for (const name of ['majority', 'linear']) {
      expect(report.data.baselines?.[name]).toMatchObject({
        scoreInterval: { low: expect.any(Number), high: expect.any(Number) },
        ...{ difference: { score: expect.any(Number), low: expect.any(Number) }, bytes: expect.any(Number) },
      });
    }
    expect(report.gates.map(({ outcome }) => outcome)).toEqual(['passed', 'passed', 'passed']);
  });

  it('tells micro F1, macro F1 and whole sets, and F1 of every class, everywhere', () => {
    const quality = report.stages.find(({ id }) => id === 'student')?.quality;
    expect(quality?.metric).toBe('microF1');
    expect(Object.keys(quality?.more ?? {})).toEqual(['macroF1', 'subsetAccuracy']);
    expect(quality?.classes.map(({ label }) => label)).toEqual([...CLASSES]);
    for (const { f1, precision, recall, f1Interval } of quality?.classes ?? []) {
      expect(f1).toBeCloseTo((2 * precision * recall) / (precision + recall), 10);
      expect(f1Interval.low <= f1 && f1 <= f1Interval.high).toBe(true);
    }
    const mean = (quality?.classes ?? []).reduce((sum, { f1 }) => sum + f1 / CLASSES.length, 0);
    expect(quality?.more.macroF1?.value).toBeCloseTo(mean, 10);
    const [comparison] = report.stages.find(({ id }) => id === 'int8')?.comparisons ?? [];
    expect(comparison?.agreement).toBeGreaterThan(0.3);
    expect(comparison?.classes.map(({ label }) => label)).toEqual([...CLASSES]);
    for (const text of [ran.stdout, file('report.md'), file('report.html')]) {
      expect(text).toContain('micro F1');
      expect(text).not.toContain('majority class');
      expect(text).toContain('most frequent answer');
    }
    expect(file('report.html')).toContain('F1 of each class');
    expect(file('report.md')).toMatch(/Every class, by int8[\s\S]*\| food \| \d+ \| [\d.]+ \| [\d.]+ \| [\d.]+ \[/);
  });

  it('keeps thresholds in models and exports, and answers by them', async () => {
    const { processor, labels } = JSON.parse(file('models/student/model.json'));
    expect(processor.thresholds.length).toBe(labels.length);
    expect(processor.thresholds.every((one: number) => one > 0 && one < 1)).toBe(true);
    const config = JSON.parse(file('deploy/config.json'));
    expect(config.problem_type).toBe('multi_label_classification');
    expect(config.decant.model.processor.thresholds).toEqual(processor.thresholds);
    expect(file('deploy/README.md')).toMatch(/top_k: null/);
    expect(file('deploy/README.md')).toMatch(/\| food \| 0\.\d+ \|/);
    const { stdout, code } = await run('predict', 'runs/sets/deploy', 'we saw a match in the rain', '--json');
    expect(code).toBe(0);
    const [said] = JSON.parse(stdout);
    for (const { label, probability, threshold, said: claimed } of said.classes) {
      expect(threshold).toBe(processor.thresholds[labels.indexOf(label)]);
      expect([label, claimed]).toEqual([label, probability > threshold]);
    }
    expect(said.labels).toEqual(
      said.classes.flatMap((one: { said: boolean; label: string }) => (one.said ? [one.label] : [])),
    );
  });

  it('shows every class that is said, and others where more are asked for', async () => {
    const { stdout } = await run('predict', 'runs/sets/deploy', 'we saw a match and bread in the town', '--top', '4');
    expect(stdout.split('\n').filter((line) => line.startsWith('  ')).length).toBeGreaterThanOrEqual(4);
    expect(stdout).toMatch(/below \d+\.\d %/);
    const inspected = await run('inspect', 'runs/sets/models/int8/model.onnx');
    expect(inspected.code).toBe(0);
  });

  it('is compared with itself set by set', async () => {
    const { stdout, code } = await run('diff', 'runs/sets', 'runs/sets');
    expect(code).toBe(0);
    expect(stdout).toContain('micro F1');
    expect(stdout).not.toContain('unpaired');
  });

  it('refuses thresholds where every text has one class, before anything runs', async () => {
    space.write('one.csv', `text,label\n${Array.from({ length: 200 }, (_, i) => `text ${i},${i % 2}\n`).join('')}`);
    const single = pipeline
      .replace('file: data.csv, label: labels, separator: ";", task: multi-label', 'file: one.csv')
      .replace(/gates:[\s\S]*/, '');
    space.write('single.yaml', single.replace('labelled: 500', 'labelled: 50'));
    const { code, stderr, stdout } = await run('validate', 'single.yaml');
    expect(code).not.toBe(0);
    expect(`${stderr}${stdout}`).toContain('thresholds are of classes that a text has or has not');
  });
});

describe('decant init', () => {
  it.each([
    ['a separator', csvOf(200), 'from column "labels"', 'label: labels', 'separator: ";"'],
    [
      'a column a class',
      `text,${CLASSES.join()}\n${rows(200)
        .map(({ text, labels }) => `${text},${CLASSES.map((name) => Number(labels.includes(name))).join()}\n`)
        .join('')}`,
      "from columns 'food', 'sport', 'travel', 'weather'",
      'label: [food, sport, travel, weather]',
      'task: multi-label',
    ],
  ])('writes a file for several classes a text: %s', async (_, content, columns, ...lines) => {
    using space = workspace();
    space.write('data.csv', content);
    const { stdout, stderr, code } = await decant(['init', '--data', 'data.csv'], { cwd: space.folder });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`several classes a text ${columns}`);
    const written = readFileSync(space.path('pipeline.yaml'), 'utf8');
    for (const line of lines) expect(written).toContain(line);
    const valid = await decant(['validate'], { cwd: space.folder });
    expect(valid.stderr + valid.stdout).toMatch(/is valid/);
  });
});
