import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { readGraph, writeGraph } from '../../graph/codec/index.ts';
import { symbol } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { type Tensor, tensorOf } from '../../graph/tensor.ts';
import { smallEncoder, tokenizerOfWords } from '../models/support.ts';
import { decant } from '../rig/cli.ts';
import { renamed } from '../rig/renamed.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const nouns = ['cat', 'dog', 'cow', 'bird', 'bread', 'soup', 'cheese', 'milk', 'train', 'bus', 'ship', 'bike'];
const others = ['old', 'small', 'near', 'the', 'a', 'late', 'good', 'one', 'my', 'again'];
const labels = ['animal', 'food', 'travel'];

/** 240 texts of three classes: which one, says a noun. */
const csv = (): string =>
  Array.from({ length: 240 }, (_, i) => {
    const noun = nouns[i % nouns.length] ?? '';
    const words = Array.from({ length: 1 + (i % 5) }, (_, j) => others[(i * 7 + j * 3) % others.length]);
    return `${words.join(' ')} ${noun} ${others[i % 7]} ${i % 11 === 0 ? 'again' : 'late'},${labels[Math.floor((i % nouns.length) / 4)]}`;
  }).reduce((text, line) => `${text}${line}\n`, 'text,label\n');

const words = ['[PAD]', '[UNK]', ...nouns, ...others];
const tokenizer = tokenizerOfWords(words, [
  { id: 0, content: '[PAD]', special: true },
  { id: 1, content: '[UNK]', special: true },
]);

/** An encoder whose graph says nothing of decant: no model.json, and no name of a value inside it. */
const prepare = async (space: Workspace): Promise<void> => {
  const shape = { vocabulary: words.length, hidden: 64, ffn: 128, tokens: { padding: 0, unknown: 1 } };
  await writeGraph(space.path('model.onnx'), renamed(smallEncoder(shape).graph));
  space.write('words/tokenizer.json', JSON.stringify(tokenizer));
  space.write('texts.csv', csv());
};

/** Rows of a table through a matrix: no layers, and no stream that anything is added to. */
const rowsThroughMatrix = (rows: number): Graph => {
  const builder = new GraphBuilder('rows');
  const tokens = [symbol('batch'), symbol('sequence')];
  const [ids, mask] = ['input_ids', 'attention_mask'].map((name) => builder.input(name, 'int64', tokens));
  if (ids === undefined || mask === undefined) throw new Error('no inputs');
  const numbers = (from: number): Tensor =>
    tensorOf(
      'float32',
      [from, 8],
      Float32Array.from({ length: 8 * from }, (_, i) => Math.sin(i)),
    );
  const kept = builder.op('Cast', [builder.op('Unsqueeze', [mask, builder.ints([2])])], { to: 1 });
  const words = builder.op('Mul', [builder.op('Gather', [builder.weight('table', numbers(rows)), ids]), kept]);
  return builder.freeze([builder.op('MatMul', [words, builder.weight('matrix', numbers(8))], {}, 'features')]);
};

const pipeline = (tokenized: string): string => `name: foreign
seed: 1
data: { uses: csv, file: texts.csv, maxLength: 12 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: encoder, uses: import, model: ./model.onnx, head: new${tokenized} }
  - { id: teacher, uses: train, epochs: 8, batch: 16, learningRate: 0.003 }
  - { id: slim, uses: prune, keep: { heads: 2, ffn: 64 }, criterion: magnitude }
  - { id: student, uses: distill, teacher: teacher, epochs: 4, batch: 16 }
  - { id: int8, uses: quantize }
  - { id: deploy, uses: export, from: { fp32: student, q8: int8 } }
`;

describe('an ONNX file of another maker, with a tokenizer', () => {
  it('is given a new head, tuned, cut, distilled, quantized, exported and asked', async () => {
    using space = workspace();
    await prepare(space);
    space.write('pipeline.yaml', pipeline(', tokenizer: ./words'));
    const { code, stdout, stderr } = await decant(['run', '--plain'], { cwd: space.folder });
    expect([code, stderr]).toEqual([0, '']);
    for (const id of ['teacher', 'slim', 'student']) expect(stdout).toMatch(new RegExp(`^\\s*${id} +\\d`, 'm'));
    const deploy = space.path('runs/foreign/deploy');
    const asked = await decant(['predict', deploy, 'the old cow again', '--json'], { cwd: space.folder });
    expect([asked.code, JSON.parse(asked.stdout)[0].label]).toEqual([0, 'animal']);
    const { inputs } = await readGraph(join(deploy, 'onnx/model.onnx'));
    expect(inputs).toEqual(['input_ids', 'attention_mask']);
    const info = JSON.parse(readFileSync(space.path('runs/foreign/models/slim/model.json'), 'utf8'));
    expect(info.dimensions).toMatchObject({ layers: 2, heads: 2, ffn: 64 });
    const dropouts = async (file: string) =>
      (await readGraph(space.path(file))).nodes.filter(({ op }) => op === 'Dropout').length;
    // Embeddings, and of two layers attention and two blocks each; the head brings one.
    const counts = await Promise.all(
      [
        'models/encoder/model.onnx',
        'models/teacher/model.onnx',
        'models/student/model.onnx',
        'deploy/onnx/model.onnx',
        'deploy/onnx/model_quantized.onnx',
      ].map((file) => dropouts(`runs/foreign/${file}`)),
    );
    expect(counts).toEqual([7, 8, 8, 0, 0]);
    expect(readFileSync(space.path('runs/foreign/report.md'), 'utf8')).toContain(
      'dropout has 7 places in its layers, ratios of the file: embeddings 0.1, attention 0.1 (2 times), blocks 0.1 (4 times)',
    );
  });

  it('is refused dropout that it has no place for, before anything runs', async () => {
    using space = workspace();
    await prepare(space);
    await writeGraph(space.path('model.onnx'), rowsThroughMatrix(words.length));
    const training = (dropout: string) => `name: foreign
data: { uses: csv, file: texts.csv, maxLength: 12 }
stages:
  - { id: encoder, uses: import, model: ./model.onnx, head: new, tokenizer: ./words }
  - { id: teacher, uses: train, epochs: 1${dropout} }
`;
    space.write('pipeline.yaml', training(', dropout: 0.1'));
    const { code, stderr } = await decant(['run', '--plain'], { cwd: space.folder });
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/dropout: 0\.1 was asked for, but nothing in the layers/),
    ]);
    expect(existsSync(space.path('runs'))).toBe(false);
    space.write('pipeline.yaml', training(', dropout: 0'));
    expect((await decant(['validate'], { cwd: space.folder })).stderr).toBe('');
  });

  it('is refused without one before anything runs, with what to do', async () => {
    using space = workspace();
    await prepare(space);
    space.write('pipeline.yaml', pipeline(''));
    const { code, stderr } = await decant(['run', '--plain'], { cwd: space.folder });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/model\.onnx has no tokenizer beside it/)]);
    expect(existsSync(space.path('runs'))).toBe(false);
    expect((await decant(['inspect', './model.onnx'], { cwd: space.folder })).code).toBe(0);
  });
});
