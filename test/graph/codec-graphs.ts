import fc from 'fast-check';
import { type Dim, multiplyDims, symbol } from '../../graph/dim.ts';
import { type Attribute, type Graph, type Node, type TensorType, type Value, value } from '../../graph/graph.ts';
import { byteSize, bytesOf, type DType, dtypeBits, type Tensor } from '../../graph/tensor.ts';

const dtypes = Object.keys(dtypeBits) as DType[];

const dtype = fc.constantFrom(...dtypes);

const tensor: fc.Arbitrary<Tensor> = fc
  .tuple(dtype, fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }))
  .chain(([kind, dims]) => {
    const length = byteSize(kind, dims);
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((bytes) => ({ dtype: kind, dims, bytes: bytesOf(bytes) }));
  });

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const integer = fc.oneof(fc.maxSafeInteger(), fc.constant(2 ** 63), fc.constant(-(2 ** 63)));
const float = fc.float();

const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  integer.map((x): Attribute => ({ kind: 'int', value: x })),
  float.map((x): Attribute => ({ kind: 'float', value: x })),
  text.map((x): Attribute => ({ kind: 'string', value: x })),
  fc.array(integer, { maxLength: 4 }).map((x): Attribute => ({ kind: 'ints', value: x })),
  fc.array(float, { maxLength: 4 }).map((x): Attribute => ({ kind: 'floats', value: x })),
  fc.array(text, { maxLength: 4 }).map((x): Attribute => ({ kind: 'strings', value: x })),
  tensor.map((x): Attribute => ({ kind: 'tensor', value: x })),
);
const attrs = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), attribute, { maxKeys: 4 });

const dim: fc.Arbitrary<Dim> = fc.oneof(
  fc.nat(9),
  fc.constantFrom<Dim>(symbol('batch'), symbol('sequence'), multiplyDims(3, symbol('batch'))),
);
const type: fc.Arbitrary<TensorType> = fc.record({
  dtype,
  shape: fc.option(fc.array(dim, { maxLength: 4 }), { nil: undefined }),
});

const opsets = { '': 20, 'com.microsoft': 1, test: 3 };

/** A body that reads a value of the graph around it. */
const bodyReading = (captured: Value): Graph => ({
  name: 'body',
  nodes: [
    { op: 'Custom', domain: 'test', name: 'inner', inputs: [captured, null], outputs: [value('inner.out')], attrs: {} },
  ],
  inputs: [],
  outputs: [value('inner.out')],
  weights: new Map(),
  types: new Map([[value('inner.out'), { dtype: 'float32', shape: undefined }]]),
  opsets,
});

/** Graphs of operators that decant does not know, so that every type must come from the file. */
export const anyGraph: fc.Arbitrary<Graph> = fc
  .record({
    names: fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), {
      minLength: 8,
      maxLength: 8,
    }),
    types: fc.array(type, { minLength: 6, maxLength: 6 }),
    weights: fc.tuple(tensor, tensor),
    nodes: fc.array(
      fc.record({ attrs, picks: fc.array(fc.option(fc.nat(30)), { maxLength: 4 }), name: fc.constantFrom('', 'same') }),
      { minLength: 4, maxLength: 4 },
    ),
    nested: fc.boolean(),
    outputs: fc.array(fc.nat(30), { minLength: 1, maxLength: 3 }),
  })
  .map(({ names, types, weights, nodes, nested, outputs }) => {
    const values = names.map(value);
    const inputs = values.slice(0, 2);
    const stored = new Map(values.slice(2, 4).map((name, i) => [name, weights[i] ?? weights[0]]));
    const typed = new Map<Value, TensorType>();
    for (const [name, { dtype: kind, dims }] of stored) typed.set(name, { dtype: kind, shape: dims });
    [...inputs, ...values.slice(4)].forEach((name, i) => {
      typed.set(name, types[i] ?? { dtype: 'float32', shape: [] });
    });
    const made = nodes.map(({ attrs: own, picks, name }, i): Node => {
      const before = values.slice(0, 4 + i);
      const body = { body: { kind: 'graph', value: bodyReading(before.at(-1) ?? value('')) } as const };
      return {
        op: 'Custom',
        domain: 'test',
        name,
        inputs: picks.map((pick) => (pick === null ? null : (before[pick % before.length] ?? null))),
        outputs: [values[4 + i] ?? value('')],
        attrs: nested && i === 3 ? { ...own, ...body } : own,
      };
    });
    const results = [...new Set(outputs.map((pick) => values[4 + (pick % 4)] ?? value('')))];
    return { name: 'g', nodes: made, inputs, outputs: results, weights: stored, types: typed, opsets };
  });

const plainTensor = (t: Tensor): unknown => ({ dtype: t.dtype, dims: t.dims, bytes: Array.from(t.bytes.read()) });

const plainAttribute = (a: Attribute): unknown => {
  if (a.kind === 'tensor') return plainTensor(a.value);
  return a.kind === 'graph' ? plainGraph(a.value) : a;
};

/** A graph as data that compares by content. */
export const plainGraph = (graph: Graph): unknown => ({
  name: graph.name,
  inputs: graph.inputs,
  outputs: graph.outputs,
  opsets: graph.opsets,
  weights: [...graph.weights].map(([name, t]) => [name, plainTensor(t)]),
  types: [...graph.types].sort(([a], [b]) => (a < b ? -1 : 1)),
  nodes: graph.nodes.map((node) => ({
    ...node,
    attrs: Object.fromEntries(Object.entries(node.attrs).map(([name, a]) => [name, plainAttribute(a)])),
  })),
});
