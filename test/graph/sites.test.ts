import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { GraphBuilder } from '../../graph/builder.ts';
import { decodeGraph } from '../../graph/codec/index.ts';
import { symbol } from '../../graph/dim.ts';
import { type Attribute, type Graph, type Value, value } from '../../graph/graph.ts';
import { isLearned, type Site, sitesOf, sitesOfWeight } from '../../graph/sites.ts';
import { elementCount, float32Of, type Tensor, tensorOf } from '../../graph/tensor.ts';
import { renamed } from '../rig/renamed.ts';

const folder = join(import.meta.dirname, '../golden/exports');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.onnx'))
  .map((file) => file.replace('.onnx', ''));

const exported = (name: string): Graph => decodeGraph(readFileSync(join(folder, `${name}.onnx`)), { folder });

const parameters = z.array(z.object({ name: z.string(), dims: z.array(z.int()), digest: z.string() }));
const truthOf = (name: string) => parameters.parse(JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')));

/** As the recipe digests a parameter: by its values, in whatever order an exporter keeps them. */
const digestOf = (tensor: Tensor): string => {
  const sorted = float32Of(tensor).toSorted();
  return createHash('sha256').update(new Uint8Array(sorted.buffer)).digest('hex').slice(0, 16);
};

const learnedOf = (graph: Graph): readonly Value[] =>
  [...graph.weights.keys()].filter((name) => isLearned(graph, name));

const namesByDigest = (name: string): ReadonlyMap<string, string> =>
  new Map(truthOf(name).map((parameter) => [parameter.digest, parameter.name]));

/** The torch parameters that a graph's learned weights are; of a constant that was taken for one, the name in the file. */
const torchNames = (graph: Graph, truth: ReadonlyMap<string, string>): readonly string[] =>
  learnedOf(graph).map((weight) => {
    const tensor = graph.weights.get(weight);
    const digest = tensor?.dtype === 'float32' ? digestOf(tensor) : '';
    return truth.get(digest) ?? `constant ${weight}`;
  });

describe.each(names)('the export %s', (name) => {
  const graph = exported(name);
  const truth = namesByDigest(name);

  test('has the parameters that PyTorch had, and no constant among them', () => {
    const found = torchNames(graph, truth);
    expect([...new Set(found)].sort()).toEqual([...truth.values()].sort());
  });

  test('has the same under any names', () => {
    const other = renamed(graph, true);
    const summary = (one: Graph) =>
      sitesOf(one).map(({ node, use, through, answers }) => [one.nodes.indexOf(node), use, through.length, answers]);
    expect(torchNames(other, truth)).toEqual(torchNames(graph, truth));
    expect(summary(other)).toEqual(summary(graph));
  });
});

test('exports of both exporters are looked at', () => {
  expect(names.length).toBeGreaterThanOrEqual(12);
  expect(new Set(names.map((name) => name.split('-')[1]))).toEqual(new Set(['ts', 'dy']));
});

const tensor = (dims: readonly number[], of = (i: number): number => Math.sin(i + 1)): Tensor =>
  tensorOf(
    'float32',
    dims,
    Float32Array.from({ length: elementCount(dims) }, (_, i) => of(i)),
  );

const batch = symbol('batch');
const length = symbol('length');

/** A graph over a stream x (batch, length, 4), token ids and a mask. */
const made = (emit: (builder: GraphBuilder, at: { x: Value; ids: Value; mask: Value }) => Value): Graph => {
  const builder = new GraphBuilder('made');
  const x = builder.input('x', 'float32', [batch, length, 4]);
  const ids = builder.input('ids', 'int64', [batch, length]);
  const mask = builder.input('mask', 'int64', [batch, length]);
  return builder.freeze([emit(builder, { x, ids, mask })]);
};

const kindsOf = (graph: Graph, weight: string): readonly string[] =>
  sitesOfWeight(graph, value(weight)).map(({ use }) => use.kind);

const linearOf = (graph: Graph, weight: string): Site => {
  const [site] = sitesOfWeight(graph, value(weight));
  if (site === undefined) throw new Error(`'${weight}' has no site`);
  return site;
};

describe('a weight', () => {
  test('of a Gemm stands the way round that the node says', () => {
    const graph = made((builder, { x }) => {
      const rows = builder.op('Reshape', [x, builder.ints([-1, 4])]);
      const plain = builder.op('Gemm', [rows, builder.weight('a', tensor([4, 5])), builder.weight('b', tensor([5]))]);
      return builder.op('Gemm', [plain, builder.weight('c', tensor([3, 5])), builder.weight('d', tensor([3]))], {
        transB: 1,
      });
    });
    expect(linearOf(graph, 'a').use).toEqual({ input: 1, kind: 'linear', inner: 0, outer: 1 });
    expect(linearOf(graph, 'c').use).toEqual({ input: 1, kind: 'linear', inner: 1, outer: 0 });
    expect([linearOf(graph, 'a').bias, linearOf(graph, 'c').bias]).toEqual(['b', 'd']);
    expect([linearOf(graph, 'a').answers, linearOf(graph, 'c').answers]).toEqual([false, true]);
  });

  test('behind a transposition is a matrix in its own axes', () => {
    const graph = made((builder, { x }) => {
      const turned = builder.op('Transpose', [builder.weight('w', tensor([5, 4]))], { perm: [1, 0] });
      return builder.op('MatMul', [x, turned]);
    });
    const site = linearOf(graph, 'w');
    expect(site.use).toEqual({ input: 1, kind: 'linear', inner: 1, outer: 0 });
    expect(site.through.map(({ op }) => op)).toEqual(['Transpose']);
  });

  test('that classifies does so behind a bias, a scale, a Softmax and nothing else', () => {
    const classifier = (last: (builder: GraphBuilder, scores: Value, x: Value) => Value): boolean => {
      const graph = made((builder, { x }) => {
        const product = builder.op('MatMul', [x, builder.weight('w', tensor([4, 4]))]);
        return last(builder, builder.op('Add', [product, builder.weight('b', tensor([4]))]), x);
      });
      return linearOf(graph, 'w').answers;
    };
    expect(classifier((_, scores) => scores)).toBe(true);
    expect(classifier((builder, scores) => builder.op('Softmax', [scores], { axis: -1 }))).toBe(true);
    expect(classifier((builder, scores) => builder.op('Mul', [scores, builder.weight('s', tensor([4]))]))).toBe(true);
    expect(classifier((builder, scores) => builder.op('Tanh', [scores]))).toBe(false);
    expect(classifier((builder, scores, x) => builder.op('Add', [scores, x]))).toBe(false);
  });

  test('of one number is a bias behind a linear of one output, and a setting anywhere else', () => {
    const graph = made((builder, { x }) => {
      const scaled = builder.op('Mul', [x, builder.weight('scale', tensor([1]))]);
      const product = builder.op('MatMul', [scaled, builder.weight('w', tensor([4, 1]))]);
      const squares = builder.op('ReduceMean', [x, builder.ints([-1])], { keepdims: 1 }); // (batch, length, 1)
      const shifted = builder.op('Add', [squares, builder.weight('epsilon', tensor([1]))]);
      return builder.op('Add', [builder.op('Add', [product, builder.weight('b', tensor([1]))]), shifted]);
    });
    expect(learnedOf(graph)).toEqual(['w', 'b']);
  });

  test('that is looked up is a table where its rows are computed with, not where they turn the stream', () => {
    const graph = made((builder, { x, ids }) => {
      const rows = builder.op('Gather', [builder.weight('words', tensor([9, 4])), ids]);
      const angles = builder.op('Gather', [builder.weight('angles', tensor([9, 4])), ids]);
      const projected = builder.op('MatMul', [x, builder.weight('w', tensor([4, 4]))]);
      return builder.op('Mul', [builder.op('Add', [projected, rows]), angles]);
    });
    expect([kindsOf(graph, 'words'), kindsOf(graph, 'angles')]).toEqual([['lookup'], ['fixed']]);
  });

  test('that makes angles of positions is none, whether multiplied as a matrix or number by number', () => {
    const graph = made((builder, { x, ids }) => {
      const places = builder.op('Cast', [builder.op('Unsqueeze', [ids, builder.ints([2])])], { to: 1 });
      const product = builder.op('MatMul', [places, builder.weight('frequencies', tensor([1, 4]))]);
      const other = builder.op('Mul', [places, builder.weight('others', tensor([4]))]);
      const turned = builder.op('Mul', [x, builder.op('Cos', [product])]);
      return builder.op('Mul', [turned, builder.op('Sin', [other])]);
    });
    expect(learnedOf(graph)).toEqual([]);
  });

  test('that masks is none: numbers no parameter has', () => {
    const graph = made((builder, { x }) => {
      const scores = builder.op('MatMul', [x, builder.op('Transpose', [x], { perm: [0, 2, 1] })]);
      const never = tensor([1, 4, 4], (i) => (i % 5 > 2 ? Number.NEGATIVE_INFINITY : 0));
      const low = tensor([4, 4], (i) => (i % 5 > 2 ? -65504 : 0));
      const masked = builder.op('Add', [scores, builder.weight('never', never)]);
      const more = builder.op('Add', [masked, builder.weight('low', low)]);
      return builder.op('Add', [more, builder.weight('positions', tensor([4, 4]))]);
    });
    expect(learnedOf(graph)).toEqual(['positions']);
  });

  test('that masks is none: zeros and one low number, added to the stream or to a table', () => {
    const low = tensor([4, 4], (i) => (i % 5 > 2 ? -100 : 0));
    const graph = made((builder, { x }) => {
      const scores = builder.op('MatMul', [x, builder.op('Transpose', [x], { perm: [0, 2, 1] })]);
      const table = builder.op('Add', [builder.weight('low', low), builder.weight('positions', tensor([4, 4]))]);
      const small = builder.weight(
        'small',
        tensor([4, 4], (i) => (i % 5 > 2 ? -1 : 0)),
      );
      return builder.op('Add', [builder.op('Add', [scores, table]), small]);
    });
    expect(learnedOf(graph)).toEqual(['positions', 'small']);
  });

  test('whose entries are taken from one another is none: windows that are the same', () => {
    const graph = made((builder, { x }) => {
      const windows = builder.weight(
        'windows',
        tensor([4], (i) => i),
      );
      const [rows, columns] = [1, 0].map((axis) => builder.op('Unsqueeze', [windows, builder.ints([axis])]));
      const apart = builder.op('Sub', [rows ?? x, columns ?? x]);
      const same = builder.op('Equal', [apart, builder.scalar('float32', 0)]);
      const mask = builder.op('Where', [same, apart, builder.scalar('float32', -100)]);
      return builder.op('Add', [builder.op('MatMul', [x, mask]), builder.weight('bias', tensor([4]))]);
    });
    expect(learnedOf(graph)).toEqual(['bias']);
  });

  test('that is shifted by a constant before it scales is a scale', () => {
    const graph = made((builder, { x }) => {
      const shifted = builder.op('Add', [builder.weight('w', tensor([4])), builder.scalar('float32', 1)]);
      return builder.op('Mul', [x, shifted]);
    });
    expect(kindsOf(graph, 'w')).toEqual(['scale']);
  });

  test('that an operator without a record reads may be learned, a single number may not', () => {
    const graph = made((builder, { x }) => {
      const inputs = [x, builder.weight('w', tensor([4])), builder.weight('one', tensor([]))];
      builder.add({ op: 'Unheard', domain: 'my.own', name: 'u', inputs, outputs: [value('u')], attrs: {} });
      return value('u');
    });
    expect(learnedOf(graph)).toEqual(['w']);
  });

  test('behind a sine of the stream, or behind a branch that hands the stream on, is one as before it', () => {
    const branch = (of: Value): Attribute => ({
      kind: 'graph',
      value: {
        name: 'branch',
        nodes: [{ op: 'Identity', domain: '', name: 'b', inputs: [of], outputs: [value('b')], attrs: {} }],
        ...{ inputs: [], outputs: [value('b')], weights: new Map(), types: new Map(), opsets: { '': 20 } },
      },
    });
    const graph = made((builder, { x, mask }) => {
      const wave = builder.op('Sin', [builder.op('MatMul', [x, builder.weight('w', tensor([4, 4]))])]);
      const next = builder.op('MatMul', [wave, builder.weight('next', tensor([4, 4]))]);
      const condition = builder.op('Cast', [builder.op('ReduceMax', [mask], { keepdims: 0 })], { to: 9 });
      const attrs = { then_branch: branch(next), else_branch: branch(wave) };
      const output = value('chosen');
      builder.add({ op: 'If', domain: '', name: 'if', inputs: [condition], outputs: [output], attrs }, () => ({
        dtype: 'float32',
        shape: [batch, length, 4],
      }));
      return builder.op('Add', [
        builder.op('MatMul', [output, builder.weight('last', tensor([4, 4]))]),
        builder.weight('b', tensor([4])),
      ]);
    });
    expect(learnedOf(graph)).toEqual(['w', 'next', 'last', 'b']);
    expect(linearOf(graph, 'last').use.kind).toBe('linear');
  });

  test('is asked about once a graph', () => {
    const graph = made((builder, { x }) => builder.op('Add', [x, builder.weight('b', tensor([4]))]));
    expect(sitesOf(graph)).toBe(sitesOf(graph));
  });
});
