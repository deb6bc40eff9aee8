import onnxProto, { type onnx } from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { decodeGraph } from '../../graph/codec/index.ts';
import { isUserError } from '../../ground/errors.ts';
import { operatorsOf } from './rewrite-run.ts';

const FLOAT = 1;
const { ModelProto, AttributeProto, NodeProto } = onnxProto.onnx;

const row = (name: string): onnx.IValueInfoProto => ({
  name,
  type: { tensorType: { elemType: FLOAT, shape: { dim: [{ dimParam: 'n' }] } } },
});

const node = (
  opType: string,
  input: string[],
  output: string[],
  attribute: onnx.IAttributeProto[] = [],
  domain = '',
): onnx.INodeProto => ({ opType, input, output, attribute, domain });

const call = (name: string, input: string[], output: string[], attribute: onnx.IAttributeProto[] = []) =>
  node(name, input, output, attribute, 'local');

const given = (name: string, f: number): onnx.IAttributeProto => ({ name, type: 1, f });
/** An attribute that is one of the call's. */
const referring = (name: string, to: string): onnx.IAttributeProto => ({ name, type: 1, refAttrName: to });

interface Definition {
  readonly name: string;
  readonly input: string[];
  readonly output: string[];
  readonly nodes: readonly onnx.INodeProto[];
  readonly attribute?: string[];
}

const defined = ({ nodes, ...rest }: Definition): onnx.IFunctionProto => ({
  ...rest,
  domain: 'local',
  opsetImport: [
    { domain: '', version: 20 },
    { domain: 'local', version: 1 },
  ],
  node: [...nodes],
});

const varint = (number: number): readonly number[] =>
  number > 127 ? [(number % 128) | 128, ...varint(Math.floor(number / 128))] : [number];

const field = (number: number, body: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.from([...varint((number << 3) | 2), ...varint(body.length)]), body]);

const fields = { functions: 25, attributeProto: 11, overload: 13, node: 7, overloadOfNode: 8 };

/** A function with fields that the library of messages does not know. */
const encoded = (one: Definition, ...more: readonly Uint8Array[]): Uint8Array =>
  field(fields.functions, Buffer.concat([onnxProto.onnx.FunctionProto.encode(defined(one)).finish(), ...more]));

const modelOf = (nodes: readonly onnx.INodeProto[], ...functions: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat([
    ModelProto.encode({
      irVersion: 9,
      opsetImport: [
        { domain: '', version: 20 },
        { domain: 'local', version: 1 },
      ],
      graph: {
        name: 'calling',
        node: [...nodes],
        input: [row('x'), { name: 'flag', type: { tensorType: { elemType: 9, shape: {} } } }],
        output: [row('y')],
        initializer: [{ name: 'w', dims: [1], dataType: FLOAT, floatData: [10] }],
      },
    }).finish(),
    ...functions,
  ]);

const numbersOf = async (bytes: Uint8Array, flag = 1): Promise<readonly number[]> => {
  const program = await cpuEngine.compile(decodeGraph(bytes), { threads: 1 });
  try {
    const results = await program.run({
      x: { dtype: 'float32', dims: [3], data: Float32Array.of(-1, 2, 3) },
      flag: { dtype: 'bool', dims: [], data: Uint8Array.of(flag) },
    });
    return Array.from(results.y?.data ?? [], Number);
  } finally {
    await program.release();
  }
};

/** slope x where x is below zero, and a sum with a second input, whose inner name is that of a value of the graph. */
const leaky: Definition = {
  name: 'leaky',
  input: ['a', 'b'],
  output: ['sum'],
  attribute: ['slope'],
  nodes: [node('LeakyRelu', ['a'], ['h'], [referring('alpha', 'slope')]), node('Add', ['h', 'b'], ['sum'])],
};
const twice: Definition = {
  name: 'twice',
  input: ['a'],
  output: ['out', 'a'],
  attribute: ['outer'],
  nodes: [
    call('leaky', ['a', 'a'], ['h'], [referring('slope', 'outer')]),
    call('leaky', ['h', 'a'], ['out'], [given('slope', 0.5)]),
  ],
};

describe('local functions', () => {
  it('are their nodes: names are those of each call, attributes are given', async () => {
    const calls = [
      call('leaky', ['x', 'w'], ['h'], [given('slope', 0.5)]),
      call('leaky', ['h', 'x'], ['y'], [given('slope', 2)]),
    ];
    const bytes = modelOf(calls, encoded(leaky));
    expect(operatorsOf(decodeGraph(bytes))).toEqual({ Add: 2, LeakyRelu: 2 });
    expect(await numbersOf(bytes)).toEqual([8.5, 14, 16]);
  });

  it('may call others, pass inputs on, and hand their attributes down', async () => {
    const nodes = [call('twice', ['x'], ['h', 'again'], [given('outer', 3)]), node('Add', ['h', 'again'], ['y'])];
    const bytes = modelOf(nodes, encoded(twice), encoded(leaky));
    // -1: h = 3 * -1 + -1 = -4, out = 0.5 * -4 - 1 = -3, and itself again.
    expect(await numbersOf(bytes)).toEqual([-4, 8, 12]);
  });

  it('fall back to what they say themselves where a call gives no attribute, and else to what the operator says', async () => {
    const fallback = AttributeProto.encode(given('slope', 4)).finish();
    const nodes = [call('leaky', ['x', 'x'], ['y'])];
    expect(await numbersOf(modelOf(nodes, encoded(leaky, field(fields.attributeProto, fallback))))).toEqual([-5, 4, 6]);
    const [first] = await numbersOf(modelOf(nodes, encoded(leaky)));
    expect(first).toBeCloseTo(-1.01, 6);
  });

  it('may leave inputs and outputs out', async () => {
    const clipped: Definition = {
      name: 'clipped',
      input: ['a', 'low', 'high'],
      output: ['most', 'rest'],
      nodes: [node('Clip', ['a', 'low', 'high'], ['most']), node('Sub', ['a', 'most'], ['rest'])],
    };
    const nodes = [
      node('Constant', [], ['top'], [given('value_float', 2.5)]),
      call('clipped', ['x', '', 'top'], ['', 'y']),
    ];
    expect(await numbersOf(modelOf(nodes, encoded(clipped)))).toEqual([0, 0, 0.5]);
  });

  it('are told apart by their overloads', async () => {
    const named = (op: string, overload: string): Uint8Array =>
      encoded(
        { name: 'f', input: ['a'], output: ['b'], nodes: [node(op, ['a'], ['b'])] },
        field(fields.overload, Buffer.from(overload)),
      );
    const model = (overload: string): Uint8Array => {
      const one = Buffer.concat([
        NodeProto.encode(call('f', ['x'], ['y'])).finish(),
        field(fields.overloadOfNode, Buffer.from(overload)),
      ]);
      // A second part of the graph: fields of one message that come twice are joined.
      const whole = modelOf([], named('Neg', 'one'), named('Abs', 'two'));
      const { graph, ...rest } = ModelProto.decode(whole);
      const parts = onnxProto.onnx.GraphProto.encode(graph ?? {}).finish();
      const own = ModelProto.encode({ ...rest, functions: [] }).finish();
      return Buffer.concat([
        own,
        field(7, Buffer.concat([parts, field(1, one)])),
        named('Neg', 'one'),
        named('Abs', 'two'),
      ]);
    };
    expect(await numbersOf(model('one'))).toEqual([1, -2, -3]);
    expect(await numbersOf(model('two'))).toEqual([1, 2, 3]);
    expect(() => decodeGraph(model('three'))).toThrow(
      "calls the overload 'three' of 'f', which the file does not have",
    );
  });

  it('are looked for inside bodies, and may hold bodies themselves', async () => {
    const branch = (op: string): onnx.IGraphProto => ({
      name: op,
      node: [call('leaky', ['a', 'a'], ['h'], [referring('slope', 'slope')]), node(op, ['h'], ['out'])],
      output: [{ name: 'out' }],
    });
    const choosing: Definition = {
      name: 'choosing',
      input: ['a', 'yes'],
      output: ['chosen'],
      attribute: ['slope'],
      nodes: [
        node(
          'If',
          ['yes'],
          ['chosen'],
          [
            { name: 'then_branch', type: 5, g: branch('Neg') },
            { name: 'else_branch', type: 5, g: branch('Abs') },
          ],
        ),
      ],
    };
    const nodes = [
      call('choosing', ['x', 'flag'], ['h'], [given('slope', 2)]),
      call('choosing', ['h', 'flag'], ['y'], [given('slope', 1)]),
    ];
    const bytes = modelOf(nodes, encoded(leaky), encoded(choosing));
    expect(await numbersOf(bytes, 1)).toEqual([-6, 8, 12]);
    expect(await numbersOf(bytes, 0)).toEqual([6, 8, 12]);
  });
});

const looping = (name: string, to: string): Definition => ({
  name,
  input: ['a'],
  output: ['b'],
  nodes: [call(to, ['a'], ['b'])],
});

/** Each calls the next one twice: 2^40 nodes from forty functions. */
const doubling = (depth: number): readonly Uint8Array[] =>
  Array.from({ length: depth }, (_, i) =>
    encoded({
      name: `f${i}`,
      input: ['a'],
      output: ['b'],
      nodes:
        i === depth - 1
          ? [node('Neg', ['a'], ['b'])]
          : [call(`f${i + 1}`, ['a'], ['h']), call(`f${i + 1}`, ['h'], ['b'])],
    }),
  );

const refused: readonly (readonly [string, Uint8Array, string])[] = [
  [
    'one that calls itself',
    modelOf([call('f', ['x'], ['y'])], encoded(looping('f', 'f'))),
    "the local function 'f' calls itself",
  ],
  [
    'two that call each other',
    modelOf([call('f', ['x'], ['y'])], encoded(looping('f', 'g')), encoded(looping('g', 'f'))),
    "the local function 'f' calls itself",
  ],
  ['more nodes than any model has', modelOf([call('f0', ['x'], ['y'])], ...doubling(40)), 'more than 50000 nodes'],
  [
    'a hundred of them inside each other',
    modelOf(
      [call('f0', ['x'], ['y'])],
      ...Array.from({ length: 100 }, (_, i) => encoded(looping(`f${i}`, `f${i + 1}`))),
    ),
    'more than 64 local functions that call each other',
  ],
  [
    'two of one name',
    modelOf([call('f', ['x'], ['y'])], encoded(looping('f', 'g')), encoded(looping('f', 'h'))),
    "two local functions are called 'f'",
  ],
  [
    'more inputs than it takes',
    modelOf([call('leaky', ['x', 'x', 'x'], ['y'])], encoded(leaky)),
    "gives 3 inputs to the local function 'leaky', which takes 2",
  ],
  [
    'a value that nothing in it makes',
    modelOf([call('f', ['x'], ['y'])], encoded({ name: 'f', input: ['a'], output: ['b'], nodes: [] })),
    'which nothing defines',
  ],
];

describe('local functions that no model has', () => {
  it.each(refused)('are refused: %s', (_, bytes, said) => {
    try {
      decodeGraph(bytes);
      expect.unreachable();
    } catch (error) {
      expect(isUserError(error, 'codec')).toBe(true);
      expect(String(error)).toContain(said);
    }
  });
});
