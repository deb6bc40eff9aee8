import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { writeGraph } from '../../graph/codec/index.ts';
import { symbol } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { float32Of, tensorOf } from '../../graph/tensor.ts';
import { smallEncoder, tokenizerOfWords } from '../models/support.ts';
import { decant, type Result } from '../rig/cli.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const words = ['[PAD]', '[UNK]', 'cat', 'dog', 'cow', 'bread', 'soup', 'milk', 'old', 'small', 'the', 'late'];
const special = ['[PAD]', '[UNK]'].map((content, id) => ({ id, content, special: true }));
const tokens = { padding: 0, unknown: 1 };

const texts = Array.from({ length: 60 }, (_, i) => {
  const [one, two] = [words[8 + (i % 4)], words[2 + (i % 6)]];
  return { text: `${one} ${two} ${words[8 + ((i * 3) % 4)]} number ${i}`, label: i % 6 < 3 ? 'animal' : 'food' };
});

/** Neurons so many times as large. */
const louder = (graph: Graph, times: number): Graph => {
  const weights = new Map(graph.weights);
  for (const [name, tensor] of weights) {
    if (!/intermediate\.dense\.weight/.test(name)) continue;
    weights.set(
      name,
      tensorOf(
        'float32',
        tensor.dims,
        Float32Array.from(float32Of(tensor), (x) => x * times),
      ),
    );
  }
  return { ...graph, weights };
};

/** x W with a W of three rows. */
const threeRows = (): Graph => {
  const builder = new GraphBuilder('three');
  const w = tensorOf(
    'float32',
    [3, 4096],
    Float32Array.from({ length: 3 * 4096 }, (_, i) => Math.sin(i)),
  );
  const x = builder.input('x', 'float32', [symbol('batch'), 3]);
  return builder.freeze([builder.op('MatMul', [x, builder.weight('w', w)], {}, 'y')]);
};

let space: Workspace;
beforeAll(async () => {
  space = workspace();
  const shape = { vocabulary: words.length, hidden: 64, ffn: 128, tokens, activation: 'relu' } as const;
  const { graph } = smallEncoder(shape);
  space.write('words/tokenizer.json', JSON.stringify(tokenizerOfWords(words, special)));
  space.write(
    'texts.csv',
    texts.reduce((csv, { text, label }) => `${csv}${text},${label}\n`, 'text,label\n'),
  );
  space.write(
    'scores.csv',
    texts.reduce((csv, { text }, i) => `${csv}${text},${(i % 10) / 2}\n`, 'text,score\n'),
  );
  await writeGraph(space.path('model.onnx'), graph);
  await writeGraph(space.path('infinite.onnx'), louder(graph, 1e38));
  await writeGraph(space.path('loud.onnx'), louder(graph, 1e6));
  await writeGraph(space.path('three.onnx'), threeRows());
});
afterAll(() => space[Symbol.dispose]());

const ofClasses = 'data: { uses: csv, file: texts.csv, maxLength: 12 }';
const ofScores = 'data: { uses: csv, file: scores.csv, task: score, label: score, maxLength: 12 }';

interface Asked {
  readonly name: string;
  readonly options: string;
  readonly model?: string;
  readonly data?: string;
}

/** Runs a pipeline that imports a model and quantizes it. */
const quantized = ({ name, options, model = 'model.onnx', data = ofClasses }: Asked): Promise<Result> => {
  space.write(
    `${name}.yaml`,
    `name: ${name}
${data}
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: encoder, uses: import, model: ./${model}, head: new, tokenizer: ./words }
  - { id: stored, uses: quantize, ${options} }
`,
  );
  return decant(['run', `${name}.yaml`, '--until', 'stored', '--plain'], { cwd: space.folder });
};

const written = (name: string): boolean => existsSync(space.path('runs', name, 'models', 'stored', 'model.onnx'));

describe('quantization in a pipeline', () => {
  it.each([
    ['no data to calibrate by', '', 'format: q4', 2, /the pipeline has no "data"/],
    ['a block that divides nothing', ofClasses, 'format: q4, block: 48', 2, /block is 48; expected 16, 32, 64, 128/],
    [
      'a format that no runtime here has',
      ofClasses,
      'format: nf4',
      2,
      /format is "nf4"[\s\S]*known: int8, uint8, int8-static, fp16/,
    ],
    ['a budget without a unit', ofClasses, "format: q4, budget: { bytes: 'lots' }", 2, /expected bytes such as '16MB'/],
    [
      'blocks that no matrix fills',
      ofClasses,
      'format: q4, block: 256',
      1,
      /no matrix of this model can be stored in q4 \(.*6 its 64 numbers in a row are fewer than a block of 256/,
    ],
    [
      'a budget that is not reached, with the smallest that is',
      ofClasses,
      'format: q4, budget: { bytes: 10kB }',
      1,
      /budget: 10kB cannot be reached: with every weight in the fewest bits the file has \d+kB/,
    ],
  ])('is refused %s, and writes nothing', async (label, data, options, code, message) => {
    const name = label.replaceAll(/[^a-z]+/g, '-');
    const run = await quantized({ name, options, data });
    expect(`${run.stderr}${run.stdout}`).toMatch(message);
    expect([run.code, written(name)]).toEqual([code, false]);
  });

  it.each(['int8', 'fp16', 'q4'])(
    'is refused activations that are no numbers in %s, by text and value',
    async (format) => {
      const name = `infinite-${format}`;
      const run = await quantized({ name, options: `format: ${format}`, model: 'infinite.onnx' });
      expect(run.stderr).toMatch(/calibration: text 1 makes 'encoder\.layer\.0\/ffn\/[^']+' (infinite or )?no number/);
      expect([run.code, written(name)]).toEqual([1, false]);
    },
  );

  it.each(['int8', 'fp16', 'q4', 'q4f16'])('calibrates by one text in %s', async (format) => {
    const run = await quantized({ name: `one-${format}`, options: `format: ${format}, calibration: 1` });
    expect([run.code, run.stderr, written(`one-${format}`)]).toEqual([0, '', true]);
  });

  it('calibrates by texts of another task: nothing but the texts is read', async () => {
    const options = 'format: q4, calibration: 20';
    const run = await quantized({ name: 'scores', options, data: ofScores });
    expect([run.code, run.stderr, written('scores')]).toEqual([0, '', true]);
  });

  it('keeps weights beyond what float16 holds', async () => {
    for (const format of ['fp16', 'q4f16']) {
      const run = await quantized({ name: `loud-${format}`, options: `format: ${format}`, model: 'loud.onnx' });
      expect([run.code, run.stderr, written(`loud-${format}`)]).toEqual([0, '', true]);
    }
  });
});

describe('decant quantize', () => {
  const asked = (model: string, ...options: readonly string[]): Promise<Result> =>
    decant(['quantize', model, '-o', 'out.onnx', ...options], { cwd: space.folder });

  it.each([
    [
      ['three.onnx', '--format', 'q4'],
      /no matrix can be stored in q4 \(1 its 3 numbers in a row are fewer than a block/,
    ],
    [['model.onnx', '--format', 'nf4'], /'nf4' is invalid\. Allowed choices are int8, uint8, int8-static, fp16/],
    [['model.onnx', '--format', 'q4', '--block', '48'], /--block: found 48; expected 16, 32, 64, 128, 256/],
    [['model.onnx', '--format', 'q4', '--block', '256'], /6 its 64 numbers in a row are fewer than a block of 256/],
  ])('refuses %j, and writes nothing', async ([model = '', ...options], message) => {
    const { code, stderr } = await asked(model, ...options);
    expect(stderr).toMatch(message);
    expect([code, existsSync(space.path('out.onnx'))]).toEqual([2, false]);
  });

  it('refuses a file that is quantized already, in whatever format', async () => {
    const made = await decant(['quantize', 'model.onnx', '-o', 'q4.onnx', '--format', 'q4'], { cwd: space.folder });
    expect([made.code, made.stderr]).toEqual([0, '']);
    const { code, stderr } = await asked('q4.onnx', '--format', 'int8');
    expect(stderr).toMatch(/is quantized already: it stores weights in 8 bits or fewer/);
    expect([code, existsSync(space.path('out.onnx'))]).toEqual([2, false]);
  });
});
