import fc from 'fast-check';
import onnxProto, { type onnx } from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { decodeGraph, encodeGraph } from '../../graph/codec/index.ts';
import { value } from '../../graph/graph.ts';
import { arrayOf, numbersOf, type Tensor } from '../../graph/tensor.ts';
import { isUserError } from '../../ground/errors.ts';
import { anyGraph, plainGraph } from './codec-graphs.ts';

const float = 1;
const int64 = 7;

const tensorType = (elemType: number, dims: readonly onnx.TensorShapeProto.IDimension[]): onnx.ITypeProto => ({
  tensorType: { elemType, shape: { dim: [...dims] } },
});

/** y = x + w, as another program may write it. */
const addition = (change: { readonly graph?: onnx.IGraphProto; readonly model?: onnx.IModelProto } = {}): Uint8Array =>
  onnxProto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'g',
      node: [{ opType: 'Add', input: ['x', 'w'], output: ['y'] }],
      input: [{ name: 'x', type: tensorType(float, [{ dimParam: 'N' }, { dimValue: 2 }]) }],
      output: [{ name: 'y' }],
      initializer: [{ name: 'w', dims: [2], dataType: float, floatData: [1, 2] }],
      ...change.graph,
    },
    ...change.model,
  }).finish();

const weightOf = (initializer: onnx.ITensorProto): Tensor => {
  const graph = decodeGraph(
    addition({
      graph: {
        node: [{ opType: 'Odd', domain: 'test', input: ['x', 'w'], output: ['y'] }],
        initializer: [{ ...initializer, name: 'w' }],
      },
    }),
  );
  const tensor = graph.weights.get(value('w'));
  if (tensor === undefined) throw new Error('the weight is missing');
  return tensor;
};

const refusal = (bytes: Uint8Array): string => {
  try {
    decodeGraph(bytes);
  } catch (error) {
    if (isUserError(error, 'codec')) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('a graph that is encoded and decoded', () => {
  it('is the same graph', () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        expect(plainGraph(decodeGraph(encodeGraph(graph)))).toEqual(plainGraph(graph));
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('gives the same bytes whatever order its attributes were written in', () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        const turned = graph.nodes.map((node) => ({
          ...node,
          attrs: Object.fromEntries(Object.entries(node.attrs).toReversed()),
        }));
        expect(Buffer.compare(encodeGraph({ ...graph, nodes: turned }), encodeGraph(graph))).toBe(0);
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  it('keeps weights as views of the file, aligned or not', () => {
    const raw = new Uint8Array(Float32Array.of(3, 4).buffer);
    for (const name of ['g', 'gg', 'ggg', 'gggg']) {
      const bytes = addition({
        graph: { name, initializer: [{ name: 'w', dims: [2], dataType: float, rawData: raw }] },
      });
      const tensor = decodeGraph(bytes).weights.get(value('w'));
      expect(tensor?.bytes.read().buffer).toBe(bytes.buffer);
      expect(tensor && numbersOf(tensor)).toEqual([3, 4]);
    }
  });
});

describe('typed fields', () => {
  const cases: readonly [string, onnx.ITensorProto, readonly number[]][] = [
    ['float32', { dims: [2], dataType: 1, floatData: [1.5, -2] }, [1.5, -2]],
    ['uint8', { dims: [2], dataType: 2, int32Data: [0, 255] }, [0, 255]],
    ['int8', { dims: [2], dataType: 3, int32Data: [-128, 127] }, [-128, 127]],
    ['uint16', { dims: [2], dataType: 4, int32Data: [0, 65535] }, [0, 65535]],
    ['int16', { dims: [2], dataType: 5, int32Data: [-32768, 1] }, [-32768, 1]],
    ['int32', { dims: [2], dataType: 6, int32Data: [-(2 ** 31), 5] }, [-(2 ** 31), 5]],
    ['int64', { dims: [2], dataType: 7, int64Data: [-(2 ** 40), 7] }, [-(2 ** 40), 7]],
    ['bool', { dims: [2], dataType: 9, int32Data: [1, 0] }, [1, 0]],
    ['float64', { dims: [2], dataType: 11, doubleData: [1e300, -1] }, [1e300, -1]],
    ['uint32', { dims: [2], dataType: 12, uint64Data: [2 ** 32 - 1, 0] }, [2 ** 32 - 1, 0]],
    ['uint64', { dims: [2], dataType: 13, uint64Data: [2 ** 50, 0] }, [2 ** 50, 0]],
  ];
  for (const [dtype, proto, expected] of cases) {
    it(`hold ${dtype} elements`, () => {
      const tensor = weightOf(proto);
      expect(tensor.dtype).toBe(dtype);
      expect(numbersOf(tensor)).toEqual(expected);
    });
  }

  it('hold half floats as their 16 bits and int4 as packed bytes', () => {
    const half = weightOf({ dims: [2], dataType: 10, int32Data: [0x3c00, 0xbc00] });
    expect(half.dtype === 'float16' && Array.from(arrayOf({ ...half, dtype: 'float16' }))).toEqual([0x3c00, 0xbc00]);
    const nibbles = weightOf({ dims: [3], dataType: 22, int32Data: [0x21, 0x03] });
    expect([nibbles.dtype, ...nibbles.bytes.read()]).toEqual(['int4', 0x21, 3]);
  });

  it('are refused where their length does not fit the dimensions', () => {
    const bytes = addition({ graph: { initializer: [{ name: 'w', dims: [3], dataType: 1, floatData: [1, 2] }] } });
    expect(refusal(bytes)).toBe("weight 'w' is a float32[3] of 12 bytes, but 8 are stored");
  });
});

describe('files that other programs write', () => {
  it('may list weights among the inputs', () => {
    const graph = decodeGraph(
      addition({
        graph: {
          input: [
            { name: 'x', type: tensorType(float, [{ dimValue: 2 }]) },
            { name: 'w', type: tensorType(float, [{ dimValue: 2 }]) },
          ],
        },
      }),
    );
    expect(graph.inputs).toEqual(['x']);
    expect([...graph.weights.keys()]).toEqual(['w']);
  });

  it('get the types that they leave out', () => {
    expect(decodeGraph(addition()).types.get(value('y'))).toEqual({ dtype: 'float32', shape: ['N', 2] });
  });

  it('may call the standard domain ai.onnx', () => {
    const graph = decodeGraph(
      addition({
        model: { opsetImport: [{ domain: 'ai.onnx', version: 17 }] },
        graph: { node: [{ opType: 'Add', domain: 'ai.onnx', input: ['x', 'w'], output: ['y'] }] },
      }),
    );
    expect(graph.opsets).toEqual({ '': 17 });
    expect(graph.nodes[0]?.domain).toBe('');
  });

  it('may have nodes in any order', () => {
    const node = [
      { opType: 'Neg', input: ['h'], output: ['y'] },
      { opType: 'Add', input: ['x', 'w'], output: ['h'] },
    ];
    expect(decodeGraph(addition({ graph: { node } })).nodes.map(({ op }) => op)).toEqual(['Add', 'Neg']);
  });

  it('may have dimensions with sums, with odd names and without names', () => {
    const dims = [{ dimParam: ' 2 * past + 1 ' }, { dimParam: 'batch size!' }, {}, { dimValue: -1 }];
    const graph = decodeGraph(addition({ graph: { input: [{ name: 'x', type: tensorType(float, dims) }] } }));
    expect(graph.types.get(value('x'))?.shape).toEqual(['2*past+1', 'batch_size_', 'x_dim_2', 'x_dim_3']);
  });

  it('may leave the kind of an attribute to the field that is filled', () => {
    const attribute = [
      { name: 'axis', i: 3 },
      { name: 'alpha', f: 0.5 },
      { name: 'perm', ints: [1, 0] },
    ];
    const node = [{ opType: 'Odd', domain: 'test', input: ['x'], output: ['y'], attribute }];
    expect(decodeGraph(addition({ graph: { node } })).nodes[0]?.attrs).toEqual({
      axis: { kind: 'int', value: 3 },
      alpha: { kind: 'float', value: 0.5 },
      perm: { kind: 'ints', value: [1, 0] },
    });
  });
});

describe('what decant cannot hold is refused', () => {
  const sparse = { values: { name: 's', dims: [1], dataType: 1, floatData: [1] }, dims: [2] };
  const wrong: readonly [string, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(), /the file is empty/],
    ['text', Buffer.from('{"model": "this is JSON, not ONNX"}'), /ONNX/],
    ['a zip archive', Buffer.from('PK\u0003\u0004\u0014\u0000\u0000\u0000\u0008\u0000'), /ONNX/],
    ['sparse initializers', addition({ graph: { sparseInitializer: [sparse] } }), /sparse initializers/],
    ['training information', addition({ model: { trainingInfo: [{}] } }), /training information/],
    ['text tensors', addition({ graph: { initializer: [{ name: 'w', dims: [1], dataType: 8 }] } }), /type string/],
    ['float8', addition({ graph: { initializer: [{ name: 'w', dims: [1], dataType: 17 }] } }), /float8e4m3fn/],
    [
      'sequences as inputs',
      addition({ graph: { input: [{ name: 'x', type: { sequenceType: { elemType: tensorType(1, []) } } }] } }),
      /input 'x' is no tensor/,
    ],
    [
      'two weights of one name',
      addition({
        graph: {
          initializer: [
            { name: 'w', dims: [2], dataType: 1, floatData: [1, 2] },
            { name: 'w', dims: [2], dataType: 1, floatData: [3, 4] },
          ],
        },
      }),
      /two weights are called 'w'/,
    ],
    [
      'values that nothing defines',
      addition({ graph: { node: [{ opType: 'Add', input: ['x', 'v'], output: ['y'] }] } }),
      /\(Add\) reads 'v', which nothing defines/,
    ],
    [
      'values defined twice',
      addition({
        graph: {
          node: [
            { opType: 'Add', input: ['x', 'w'], output: ['y'] },
            { opType: 'Neg', input: ['x'], output: ['y'] },
          ],
        },
      }),
      /'y' is defined twice/,
    ],
    [
      'cycles',
      addition({
        graph: {
          node: [
            { opType: 'Add', input: ['x', 'b'], output: ['a'] },
            { opType: 'Neg', input: ['a'], output: ['b'] },
            { opType: 'Neg', input: ['b'], output: ['y'] },
          ],
        },
      }),
      /cycle through '[ab]'/,
    ],
    [
      'shapes that do not go together',
      addition({ graph: { initializer: [{ name: 'w', dims: [3], dataType: 1, floatData: [1, 2, 3] }] } }),
      /the graph 'g' does not fit together: .*\[N, 2\] and \[3\]/,
    ],
    ['outputs that no node computes', addition({ graph: { output: [{ name: 'z' }] } }), /output 'z' is computed by no/],
    [
      'two versions of one domain',
      addition({
        model: {
          opsetImport: [
            { domain: '', version: 17 },
            { domain: 'ai.onnx', version: 18 },
          ],
        },
      }),
      /two versions of the domain '': 17 and 18/,
    ],
    ['fields of the future', Uint8Array.of(...addition(), 0xf8, 0x3f, 1), /field 1023, which is newer/],
    [
      'integers beyond 2^53',
      addition({
        graph: {
          node: [
            {
              opType: 'Odd',
              domain: 'test',
              input: ['x'],
              output: ['y'],
              attribute: [{ name: 'n', type: 2, i: 2 ** 60 }],
            },
          ],
        },
      }),
      /attribute 'n' of node 'y' \(Odd\) is 1152921504606846976, too large/,
    ],
  ];
  for (const [what, bytes, message] of wrong) {
    it(`: ${what}`, () => {
      expect(refusal(bytes)).toMatch(message);
    });
  }

  it(': a file cut short anywhere', () => {
    const bytes = addition();
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      // Fields are self-delimiting: a cut between two leaves a model that lacks its graph or its operator sets.
      expect(refusal(cut)).toMatch(/cut short|empty|no ONNX model/);
    }
  });

  it(': random bytes, never with another kind of error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
        expect(refusal(bytes)).not.toBe('accepted');
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it(': damaged bytes, with a clear error or a different graph, never another kind of error', () => {
    const bytes = addition();
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        expect(typeof refusal(damaged)).toBe('string');
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});

it('says the types of int64 inputs, too', () => {
  const graph = decodeGraph(
    addition({ graph: { input: [{ name: 'x', type: tensorType(int64, [{ dimValue: 2 }]) }] } }),
  );
  expect(graph.types.get(value('x'))).toEqual({ dtype: 'int64', shape: [2] });
});
