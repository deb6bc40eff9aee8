import { readFileSync } from 'node:fs';
import { pipeline as clientPipeline } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../reports/report.ts';
import { root } from '../rig/build.ts';
import { decant, type Result } from '../rig/cli.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const letters = readFileSync(`${root}/examples/orders.jsonl`, 'utf8').trim().split('\n');

/** The letters of the examples, learned from scratch: what takes seconds. */
const pipeline = `name: entities
data: { uses: jsonl, file: letters.jsonl, task: named-entities, text: text, label: entities, maxLength: 64 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - id: teacher
    uses: train
    epochs: 20
    batch: 16
    learningRate: 5.0e-3
    architecture: { hidden: 48, layers: 2, heads: 2, ffn: 64, vocabulary: 700 }
  - { id: slim, uses: prune, keep: { ffn: 50% }, examples: 32 }
  - { id: student, uses: distill, teacher: teacher, epochs: 4, batch: 16, learningRate: 2.0e-3 }
  - { id: int8, uses: quantize }
  - { id: deploy, uses: export, from: { fp32: student, q8: int8 } }
gates: { int8: { entityF1: { min: 50% }, accuracy: { min: 70% } } }
`;

interface Told {
  readonly text: string;
  readonly entities: readonly {
    readonly label: string;
    readonly text: string;
    readonly start: number;
    readonly end: number;
  }[];
}

const asked = ['My name is Ada Brandt and my order B-12345 has not arrived in New York.', 'Is there a shop in Kyoto?'];

describe('a pipeline of named entities', () => {
  let space: Workspace;
  let ran: Result;
  let report: Report;

  beforeAll(async () => {
    space = workspace();
    space.write('letters.jsonl', `${letters.join('\n')}\n`);
    space.write('pipeline.yaml', pipeline);
    ran = await decant(['run'], { cwd: space.folder });
    report = JSON.parse(readFileSync(space.path('runs/entities/report.json'), 'utf8'));
  });
  afterAll(() => space[Symbol.dispose]());

  it('is judged by entity F1 with accuracy beside it, and beats the tag that each word had most often', () => {
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(report.data.task).toBe('named-entities');
    const { quality, comparisons } = report.stages.find(({ id }) => id === 'int8') ?? {};
    expect(quality?.metric).toBe('entityF1');
    expect(quality?.more.accuracy?.value).toBeGreaterThan(0.7);
    expect(quality?.score).toBeGreaterThan(report.data.baselines?.lexicon?.score ?? 1);
    expect(comparisons?.[0]?.score.low).toBeLessThanOrEqual(comparisons?.[0]?.score.high ?? 0);
    expect(report.gates.map(({ outcome }) => outcome)).toEqual(['passed', 'passed']);
    expect(ran.stdout).toContain('entity F1 %');
    const types = quality?.entities ?? [];
    expect(types.map(({ label }) => label).sort()).toEqual(['CITY', 'DATE', 'ORDER', 'PERSON', 'PRODUCT']);
    for (const { support, f1 } of types) expect(support > 10 && f1 > 0.3).toBe(true);
    const [markdown, html] = ['report.md', 'report.html'].map((name) =>
      readFileSync(space.path('runs/entities', name), 'utf8'),
    );
    expect(markdown).toMatch(/^Entities by type, by int8:\n\n\| class \| entities \| precision %/m);
    for (const text of [markdown, html]) for (const { label } of types) expect(text).toContain(label);
    expect(html).toContain('Entities by type');
  });

  it('answers with entities and where they stand', async () => {
    const { stdout } = await decant(['predict', 'runs/entities/deploy', ...asked, '--json'], { cwd: space.folder });
    const told: readonly Told[] = JSON.parse(stdout);
    expect(told.map(({ text }) => text)).toEqual(asked);
    for (const { text, entities } of told) {
      for (const one of entities) expect(one.text).toBe([...text].slice(one.start, one.end).join(''));
    }
    const found = told.flatMap(({ entities }) => entities.map(({ label, text }) => `${label} ${text}`));
    expect(found).toEqual(expect.arrayContaining(['ORDER B-12345', 'CITY Kyoto']));
  });

  it('gives transformers.js the same entities, though it answers about each token', async () => {
    const tagger = await clientPipeline('token-classification', space.path('runs/entities/deploy'), {
      local_files_only: true,
      dtype: 'fp32',
    });
    const { stdout } = await decant(['predict', 'runs/entities/models/student', ...asked, '--json'], {
      cwd: space.folder,
    });
    const own: readonly Told[] = JSON.parse(stdout);
    const plain = (text: string): string => text.toLowerCase().replace(/\s/g, '');
    for (const { text, entities } of own) {
      const grouped = await tagger(text, { aggregation_strategy: 'simple' });
      const theirs = [grouped].flat(2).map((one) => `${String(Reflect.get(one, 'entity_group'))} ${plain(one.word)}`);
      expect(theirs).toEqual(entities.map((one) => `${one.label} ${plain(one.text)}`));
    }
    await tagger.dispose();
  });
});

describe('decant init', () => {
  it.each([
    ['letters.jsonl', `${letters.join('\n')}\n`, 'named entities from column "entities"'],
    [
      'lines.conll',
      `${Array.from({ length: 60 }, (_, i) => `Ada B-PER\nmet O\nBob${i} B-PER\nin O\nRome B-LOC`).join('\n\n')}\n`,
      'named entities from column "last"',
    ],
    [
      'words.jsonl',
      Array.from(
        { length: 60 },
        (_, i) => `{"tokens":["old","cat${i}","runs"],"pos_tags":["ADJ","NOUN","VERB"]}\n`,
      ).join(''),
      'a class of each word from column "pos_tags"',
    ],
  ])('writes a pipeline that validate passes for %s', async (file, content, said) => {
    using space = workspace();
    space.write(file, content);
    const wrote = await decant(['init', '--data', file], { cwd: space.folder });
    expect([wrote.code, wrote.stderr]).toEqual([0, '']);
    expect(wrote.stdout).toContain(said);
    const checked = await decant(['validate'], { cwd: space.folder });
    expect([checked.code, checked.stderr]).toEqual([0, '']);
  });
});
