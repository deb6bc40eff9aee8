import { readFileSync } from 'node:fs';
import { env, pipeline as load } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { Report } from '../../reports/report.ts';
import { decant, type Result } from '../rig/cli.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

/** Other sums over the same bytes. */
const ROUNDING = 1e-4;

/** Texts that count upwards from somewhere, letter by letter: one JSON object a line, nothing but the text. */
const lines = (): string => {
  const random = stream(4, 'letters');
  const texts = Array.from({ length: 600 }, (_, i) => {
    const first = random.integer(16);
    const letters = Array.from('abcdefghijklmnopqrstuvwxyz').slice(first, first + 4 + random.integer(6));
    return JSON.stringify({ text: `${letters.join(' ')} ${i}` });
  });
  return `${texts.join('\n')}\n`;
};

const pipeline = `name: masks
data: { uses: jsonl, file: texts.jsonl, task: fill-mask, maxLength: 24, split: { validation: 10%, test: 20% } }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - id: teacher
    uses: train
    architecture: { hidden: 64, layers: 2, heads: 2, ffn: 128, vocabulary: 300, dropout: 0 }
    epochs: 10
    batch: 16
    learningRate: 5.0e-3
  - { id: slim, uses: prune, keep: { layers: 1, heads: 1, ffn: 64, hidden: 56, vocabulary: used }, criterion: magnitude }
  - { id: student, uses: distill, teacher: teacher, epochs: 6, batch: 16, learningRate: 5.0e-3, hidden: { layers: last, share: 0.5 } }
  - { id: int8, uses: quantize }
  - { id: deploy, uses: export, from: { fp32: student, q8: int8 } }
  - { id: bytes, uses: train, epochs: 1, architecture: { hidden: 32, layers: 1, heads: 2, ffn: 32, vocabulary: 300, tokenizer: bpe } }
gates:
  int8: { nats: { maxRise: 0.1, versus: student }, perplexity: { max: 1000 } }
`;

interface Guess {
  readonly token: string;
  readonly id: number;
  readonly probability: number;
}

describe('a pipeline that fills in masked words', () => {
  let space: Workspace;
  let ran: Result;
  let report: Report;
  const file = (name: string): string => readFileSync(space.path('runs/masks', name), 'utf8');
  const run = (...args: readonly string[]): Promise<Result> => decant(args, { cwd: space.folder });
  const guesses = async (folder: string, text: string): Promise<readonly (readonly Guess[])[]> => {
    const { stdout, code, stderr } = await run('predict', folder, text, '--json');
    expect([code, stderr]).toEqual([0, '']);
    const [said] = JSON.parse(stdout);
    return said.masks.map(({ tokens }: { tokens: readonly Guess[] }) => tokens);
  };

  beforeAll(async () => {
    space = workspace();
    space.write('texts.jsonl', lines());
    space.write('pipeline.yaml', pipeline);
    ran = await run('run');
    report = JSON.parse(file('report.json'));
  });
  afterAll(() => space[Symbol.dispose]());

  it('needs no labels: trains, cuts, distils and quantizes, and beats the frequency of tokens', () => {
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    const { baselines, task } = report.data;
    expect(task).toBe('fill-mask');
    const nats = Object.fromEntries(report.stages.map(({ id, quality }) => [id, quality?.score ?? Number.NaN]));
    const frequency = baselines?.frequency?.score ?? 0;
    // A number for each token of the vocabulary.
    expect(baselines?.frequency?.bytes).toBe(4 * (report.stages[0]?.model?.dimensions.vocabulary ?? 0));
    expect(nats.teacher).toBeLessThan(frequency - 0.3);
    expect(nats.student).toBeLessThan(frequency - 0.3);
    expect(Math.abs((nats.int8 ?? 0) / (nats.student ?? 1) - 1)).toBeLessThan(0.02);
    expect(report.gates.map(({ outcome }) => outcome)).toEqual(['passed', 'passed']);
  });

  it('judges hidden tokens in nats, perplexity and accuracy, and takes texts for the sample', () => {
    const [teacher, , student] = report.stages;
    const quality = teacher?.quality;
    expect(quality?.metric).toBe('nats');
    expect(Math.exp(quality?.score ?? 0)).toBeCloseTo(quality?.more.perplexity?.value ?? 0, 6);
    expect(quality?.more.accuracy?.value).toBeGreaterThan(0);
    expect(quality?.scoreInterval.low).toBeLessThan(quality?.score ?? 0);
    expect(student?.difference).not.toBeNull();
  });

  it('compares no surprise at other tokens', () => {
    const bytes = report.stages.find(({ id }) => id === 'bytes');
    expect(bytes?.quality?.score).toBeGreaterThan(0);
    expect(bytes?.quality?.examples).not.toBe(report.stages[0]?.quality?.examples);
    expect([bytes?.difference, bytes?.comparisons]).toEqual([null, []]);
  });

  it('speaks of nats and masked tokens in the terminal and on its pages', async () => {
    for (const text of [ran.stdout, file('report.md'), file('report.html')]) {
      expect(text).toContain('nats per token');
      expect(text).toContain('perplexity');
      expect(text).toContain('frequency of each token');
      expect(text).not.toMatch(/linear bag|majority class|NaN|undefined/);
    }
    expect(ran.stdout).toMatch(/\d+ test texts with [\d,]+ masked tokens/);
    const { stdout, code } = await run('diff', 'runs/masks', 'runs/masks');
    expect(code).toBe(0);
    expect(stdout).toContain('nats per token');
    expect(stdout).not.toContain('unpaired');
  });

  it('tells the most probable tokens of each mask, as transformers.js does, in float and in 8 bits', async () => {
    env.allowRemoteModels = false;
    for (const [dtype, folder] of [
      ['fp32', 'runs/masks/models/student'],
      ['q8', 'runs/masks/deploy'],
    ] as const) {
      const text = 'f g [MASK] i j';
      const [own = []] = await guesses(folder, text);
      const fill = await load('fill-mask', space.path('runs/masks/deploy'), { dtype });
      const said = [await fill(text, { top_k: 5 })].flat(2);
      await fill.dispose();
      expect(said.map(({ token }) => token)).toEqual(own.map(({ id }) => id));
      said.forEach(({ score }, i) => {
        expect(Math.abs(score - (own[i]?.probability ?? 0))).toBeLessThan(ROUNDING);
      });
    }
  });

  it('shows them by line, for every mask of a text, also of a pair', async () => {
    const { stdout } = await run('predict', 'runs/masks/models/teacher', 'a [MASK] c [MASK] e', '--top', '2');
    const blocks = stdout.trimEnd().split('\n');
    expect(blocks[0]).toBe('a [MASK] c [MASK] e');
    expect(blocks.slice(1).map((line) => line.trim().split(/\s+/).length)).toEqual([3, 3, 1, 3, 3]);
    const two = await guesses('runs/masks/models/teacher', 'a [MASK] c [MASK] e');
    expect(two.map((one) => one.length)).toEqual([5, 5]);
    const pair = await run('predict', 'runs/masks/deploy', 'a b', '--pair', 'c [MASK]', '--json');
    expect(JSON.parse(pair.stdout)[0].masks).toHaveLength(1);
  });

  it('asks for a mask where a text has none', async () => {
    const { code, stderr } = await run('predict', 'runs/masks/deploy', 'a b c');
    expect(code).not.toBe(0);
    expect(stderr).toBe(
      'text 1 ("a b c"): there is nothing to fill in; expected [MASK] in the place of a word, among the first 24 tokens\n',
    );
  });

  it('teaches an encoder the language of texts before it classifies them, and nothing afterwards', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => `${i % 2 === 0 ? 'low tide' : 'high hill'} ${i},${i % 2}`);
    space.write('labels.csv', `text,label\n${rows.join('\n')}\n`);
    const shape = '{ hidden: 32, layers: 1, heads: 2, ffn: 32, vocabulary: 300 }';
    const stages = {
      adapted: `  - { id: adapted, uses: train, task: fill-mask, epochs: 1, batch: 16, architecture: ${shape} }\n`,
      classifier: '  - { id: classifier, uses: train, epochs: 2, batch: 16 }\n',
      wrong: '  - { id: wrong, uses: train, task: fill-mask, epochs: 1 }\n',
      wronger: '  - { id: wronger, uses: distill, task: fill-mask, teacher: classifier, from: adapted, epochs: 1 }\n',
    };
    const write = (...some: readonly (keyof typeof stages)[]) =>
      space.write(
        'other.yaml',
        `name: other\ndata: { uses: csv, file: labels.csv, maxLength: 24 }\nmeasure: { rounds: 3, processes: 2, loads: 0, profile: false }\nstages:\n${some.map((name) => stages[name]).join('')}`,
      );
    write('adapted', 'classifier');
    const good = await run('run', 'other.yaml');
    expect([good.code, good.stderr]).toEqual([0, '']);
    const other: Report = JSON.parse(readFileSync(space.path('runs/other/report.json'), 'utf8'));
    expect(other.stages.map(({ quality }) => quality?.metric)).toEqual([undefined, 'accuracy']);
    expect(other.stages[1]?.quality?.score).toBeGreaterThan(0.9);
    expect(other.stages.map(({ training }) => training?.metric)).toEqual(['nats', 'accuracy']);
    const ends = other.stages.map(({ training }) => training?.curve.findLast((point) => point.score !== undefined));
    expect(ends).toEqual([
      expect.objectContaining({ nats: ends[0]?.score }),
      expect.objectContaining({ accuracy: ends[1]?.score }),
    ]);
    expect(ends[0]).not.toHaveProperty('accuracy');
    const page = readFileSync(space.path('runs/other/report.html'), 'utf8');
    for (const heading of ['validation nats per token', 'validation accuracy %']) expect(page).toContain(heading);
    expect(page).toContain(`>${ends[0]?.score?.toFixed(3)}<`);
    write('adapted', 'classifier', 'wrong');
    const wrong = await run('run', 'other.yaml');
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toContain(
      'the model is made for text-classification, the data is for fill-mask; start from a model without a head',
    );
    write('adapted', 'classifier', 'wronger');
    expect((await run('validate', 'other.yaml')).stderr).toContain(
      'the teacher is made for text-classification, the data for fill-mask: train it on this data first',
    );
  });

  it('finds before it runs what has no meaning without classes', async () => {
    space.write(
      'wrong.yaml',
      'name: wrong\ndata: { uses: wordnet-supersense, task: fill-mask, labelled: 10 }\nstages:\n  - { id: a, uses: train, classWeights: balanced, architecture: {} }\n',
    );
    const { stderr } = await run('validate', 'wrong.yaml');
    expect(stderr).toContain("wrong.yaml:2:62: expected no 'labelled' with task: fill-mask, which has no labels");
    space.write('wrong.yaml', readFileSync(space.path('wrong.yaml'), 'utf8').replace(', labelled: 10', ''));
    const { stderr: second } = await run('validate', 'wrong.yaml');
    expect(second).toContain('data for fill-mask has no classes to balance: leave classWeights out');
  });
});
