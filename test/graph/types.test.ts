import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { decodeGraph, encodeGraph } from '../../graph/codec/index.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { type Dim, symbol } from '../../graph/dim.ts';
import { type Graph, type TensorType, type Value, value } from '../../graph/graph.ts';
import type { DType } from '../../graph/tensor.ts';
import { isUserError } from '../../ground/errors.ts';
import { anatomyOf, partsOf } from '../../models/anatomy.ts';
import { inspectGraph } from '../../models/inspect.ts';
import { smallEncoder } from '../models/support.ts';

const { graph: encoder } = smallEncoder({ layers: 2 });

const read = (graph: Graph): Graph => decodeGraph(encodeGraph(graph));

/** The encoder with one node of an operator that nobody knows, with or without types in the file. */
const withStranger = (at: number, typed: boolean): Graph => ({
  ...encoder,
  nodes: encoder.nodes.map((node, i) => (i === at ? { ...node, op: 'Stranger', domain: 'elsewhere' } : node)),
  types: typed
    ? encoder.types
    : new Map([...encoder.types].filter(([name]) => encoder.inputs.includes(name) || encoder.weights.has(name))),
  opsets: { ...encoder.opsets, elsewhere: 1 },
});

const everyNode = [...encoder.nodes.keys()];

describe('a graph with an operator that decant does not know', () => {
  it('is inspected wherever it stands, types declared or not', () => {
    for (const at of everyNode) {
      for (const typed of [true, false]) {
        const graph = read(withStranger(at, typed));
        expect(inspectGraph(graph, { length: 8 }).unknown).toContain('elsewhere:Stranger');
        expect(() => partsOf(anatomyOf(graph))).not.toThrow();
      }
    }
  });

  it('has all types where the file declares that of its outputs', () => {
    for (const at of everyNode) expect([...read(withStranger(at, true)).types]).toEqual([...read(encoder).types]);
  });

  it('counts all other work where the file declares that', () => {
    const whole = inspectGraph(read(encoder), { length: 8 }).macs;
    const relu = encoder.nodes.findIndex(({ op }) => op === 'Relu' || op === 'Gelu');
    expect(inspectGraph(read(withStranger(relu, true)), { length: 8 })).toMatchObject({
      macs: whole,
      unknown: ['elsewhere:Stranger'],
    });
  });

  it('has types again behind the next product with a weight, and says which work it cannot count', () => {
    const norm = encoder.nodes.findIndex(({ op }) => op === 'LayerNormalization');
    const graph = read(withStranger(norm, false));
    const last = graph.outputs[0] as Value;
    expect(graph.types.get(last)?.dtype).toBe('float32');
    expect(inspectGraph(graph, { length: 8 }).unknown).toEqual(['MatMul', 'elsewhere:Stranger']);
  });

  it('is refused where its types are needed, by the name of that operator', () => {
    const builder = new GraphBuilder('open', { '': 20, elsewhere: 1 });
    const x = builder.input('x', 'float32', [2]);
    const strange = builder.op('elsewhere:Stranger', [builder.op('Exp', [x])], {}, 'strange');
    const y = builder.op('Relu', [strange]);
    for (const ask of [() => builder.type(y), () => differentiate(builder, y, [x])]) {
      try {
        ask();
        expect.unreachable();
      } catch (error) {
        expect(isUserError(error)).toBe(true);
        expect(String(error)).toContain(
          "decant knows too little of Stranger 'strange': write the types of its outputs",
        );
      }
    }
  });
});

const declared = (types: Readonly<Record<string, TensorType>>, emit: (b: GraphBuilder, x: Value) => Value): Graph => {
  const builder = new GraphBuilder('declared', { '': 20, elsewhere: 1 });
  const y = emit(builder, builder.input('x', 'float32', [symbol('batch'), 4]));
  const graph = builder.freeze([builder.op('Relu', [y], {}, 'z')]);
  return {
    ...graph,
    types: new Map([...graph.types, ...Object.entries(types).map(([name, type]) => [value(name), type] as const)]),
  };
};

const type = (dtype: DType, ...shape: readonly (string | number)[]): TensorType => ({
  dtype,
  shape: shape.map((dim): Dim => (typeof dim === 'number' ? dim : symbol(dim))),
});

const relu = (b: GraphBuilder, x: Value): Value => b.op('Relu', [x], {}, 'y');
const odd = (b: GraphBuilder, x: Value): Value => b.op('NonZero', [b.op('Cast', [x], { to: 9 })], {}, 'y');
const turned = (b: GraphBuilder, x: Value): Value => b.op('Cast', [odd(b, x)], { to: 1 }, 'w');

describe('types that a file declares', () => {
  it.each([
    ['a symbol where a number is computed', { y: type('float32', 'batch', 'width') }],
    ['a number of an example where any batch is computed', { y: type('float32', 1, 4) }],
    ['another symbol', { y: type('float32', 'somebody', 4) }],
    ['no shape', { y: { dtype: 'float32', shape: undefined } }],
    ['another number on the way', { y: type('float32', 'batch', 5) }],
    ['another rank on the way', { y: type('float32', 'batch', 4, 1) }],
  ] as const)('give way to better ones: %s', (_, types) => {
    const graph = read(declared(types, relu));
    for (const name of ['y', 'z']) expect(graph.types.get(value(name))).toEqual(type('float32', 'batch', 4));
  });

  it('give way at outputs, too', () => {
    const graph = read(declared({ z: type('float32', 'n', 'm') }, relu));
    expect(graph.types.get(value('z'))).toEqual(type('float32', 'batch', 4));
  });

  it('are taken where a size is known to the run alone, and carried on', () => {
    const graph = read(declared({ y: type('int64', 2, 'found') }, turned));
    for (const name of ['y', 'w', 'z']) expect(graph.types.get(value(name))?.shape).toEqual([2, symbol('found')]);
  });

  it.each([
    [
      'element type',
      { y: type('int64', 'batch', 4) },
      "the value 'y' is declared as int64[batch, 4], but node 'y' (Relu) computes float32[batch, 4]",
    ],
    [
      'number of a result',
      { z: type('float32', 'batch', 7) },
      "the value 'z' is declared as float32[batch, 7], but node 'z' (Relu) computes float32[batch, 4]",
    ],
    [
      'rank of a result',
      { z: type('float32', 'batch', 4, 1) },
      "the value 'z' is declared as float32[batch, 4, 1], but node 'z' (Relu) computes float32[batch, 4]",
    ],
  ] as const)('are refused where they contradict what is computed: %s', (_, types, message) => {
    try {
      read(declared(types, relu));
      expect.unreachable();
    } catch (error) {
      expect(isUserError(error, 'codec')).toBe(true);
      expect(String(error)).toContain(`${message}: export the model again`);
    }
  });
});
