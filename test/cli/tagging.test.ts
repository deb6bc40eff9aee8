import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../reports/report.ts';
import { decant, type Result } from '../rig/cli.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

/** Four hundred sentences of the Brown corpus, by the tags without marks: what takes seconds. */
const pipeline = `name: tags
data: { uses: brown-tags, tags: base, limit: 400, maxLength: 24 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - id: teacher
    uses: train
    epochs: 6
    batch: 16
    learningRate: 5.0e-3
    architecture: { hidden: 32, layers: 1, heads: 2, ffn: 32, vocabulary: 1500 }
  - { id: slim, uses: prune, keep: { ffn: 50% }, examples: 32 }
  - { id: student, uses: distill, teacher: teacher, epochs: 2, batch: 16 }
  - { id: int8, uses: quantize }
gates: { int8: { accuracy: { maxDrop: 20pt, versus: teacher } } }
`;

describe('a pipeline of tags', () => {
  let space: Workspace;
  let ran: Result;
  let report: Report;
  const file = (name: string): string => readFileSync(space.path('runs/tags', name), 'utf8');

  beforeAll(async () => {
    space = workspace();
    space.write('pipeline.yaml', pipeline);
    ran = await decant(['run'], { cwd: space.folder });
    report = JSON.parse(file('report.json'));
  });
  afterAll(() => space[Symbol.dispose]());

  it('trains, prunes, distils and quantizes a tagger, and beats the most frequent tag', () => {
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    const { baselines, task } = report.data;
    expect(task).toBe('token-classification');
    const best = report.stages.map(({ quality }) => quality?.score ?? 0);
    for (const accuracy of best) expect(accuracy).toBeGreaterThan(baselines?.majority?.score ?? 1);
    expect(baselines?.lexicon?.score).toBeGreaterThan(0.6);
    expect(report.gates.map(({ outcome }) => outcome)).toEqual(['passed']);
  });

  it('counts words and takes sentences for the sample', () => {
    const [teacher, , student] = report.stages;
    expect(teacher?.quality?.examples).toBeGreaterThan(10 * report.data.test);
    expect(teacher?.quality?.effectiveExamples).toBeLessThan(teacher?.quality?.examples ?? 0);
    const [comparison] = student?.comparisons ?? [];
    expect(comparison?.mcnemar?.method).toBe('clustered');
    expect(comparison?.flips.lost[0]?.text).toMatch(/\[\S+\]/);
  });

  it('speaks of words and sentences, not of texts', () => {
    expect(ran.stdout).toContain('word accuracy %');
    expect(ran.stdout).toMatch(/\d+ test sentences with [\d,]+ words/);
    for (const name of ['report.md', 'report.html']) {
      expect(file(name)).toContain('word accuracy');
      expect(file(name)).not.toMatch(/test texts|labelled texts|of \d+ texts/);
    }
  });

  it('says once in the log, and once in each report, what share of the sentences is cut', () => {
    const said =
      /\d+ of \d+ test sentences \(\d+\.\d %\) are longer than 24 tokens \(data\.maxLength\) and are cut; \d+ words/g;
    const times = (text: string): number => text.match(said)?.length ?? 0;
    expect(times(file('events.jsonl'))).toBe(1);
    for (const name of ['report.json', 'report.md', 'report.html'])
      expect([name, times(file(name))]).toEqual([name, 1]);
  });

  it('tags words of the command line, one a line', async () => {
    const text = 'The jury said  it did .';
    const model = 'runs/tags/models/int8';
    const { stdout } = await decant(['predict', model, text], { cwd: space.folder });
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t')[0]),
    ).toEqual(text.split(/\s+/));
    const json = await decant(['predict', model, '--json'], { cwd: space.folder, input: `${text}\n` });
    const [said] = JSON.parse(json.stdout);
    expect(said.words.map(({ word, label }: { word: string; label: string }) => `${word}\t${label}`).join('\n')).toBe(
      stdout.trimEnd(),
    );
  });

  it('says that words beyond its positions were not read, and makes up no tags for them', async () => {
    const { stdout, stderr } = await decant(['predict', 'runs/tags/models/student', 'the jury '.repeat(30), 'it did'], {
      cwd: space.folder,
    });
    expect(stderr).toBe('1 of 2 texts (50.0 %) are longer than the 24 tokens that the model reads and are cut\n');
    expect(stdout).toMatch(/^(the|jury)\t$/m);
  });

  it('is compared with itself word by word', async () => {
    const { stdout, code } = await decant(['diff', 'runs/tags', 'runs/tags'], { cwd: space.folder });
    expect(code).toBe(0);
    expect(stdout).toContain('word accuracy %');
    expect(stdout).not.toContain('unpaired');
  });
});
