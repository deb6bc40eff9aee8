import type { onnx } from 'onnx-proto';
import type { HostileGraph } from './graphs.ts';
import { FLOAT, float, floats, int, integers, ints, node, text, typed, withMiddle } from './proto.ts';

interface Case {
  readonly nodes: readonly onnx.INodeProto[];
  readonly weights?: readonly onnx.ITensorProto[];
}

/** Nodes that do not fit their inputs. */
const cases: Readonly<Record<string, Case>> = {
  'MatMul of other widths': { nodes: [node('MatMul', ['pooled', 'w'], ['changed'])], weights: [floats('w', [7, 1])] },
  'MatMul with a number': { nodes: [node('MatMul', ['pooled', 'w'], ['changed'])], weights: [floats('w', [])] },
  'an unknown operator before MatMul': {
    nodes: [node('Mystery', ['pooled'], ['m']), node('MatMul', ['m', 'w'], ['changed'])],
    weights: [floats('w', [1, 1])],
  },
  'Add of other shapes': {
    nodes: [node('Add', ['w', 'v'], ['changed'])],
    weights: [floats('w', [2]), floats('v', [3])],
  },
  'Concat of other ranks': {
    nodes: [node('Concat', ['pooled', 'w'], ['changed'], { axis: int(0) })],
    weights: [floats('w', [3])],
  },
  'Concat along axis 99': { nodes: [node('Concat', ['pooled', 'pooled'], ['changed'], { axis: int(99) })] },
  'Reshape to another count': {
    nodes: [node('Reshape', ['w', 's'], ['changed'])],
    weights: [floats('w', [6]), integers('s', [4])],
  },
  'Reshape with two -1': { nodes: [node('Reshape', ['pooled', 's'], ['changed'])], weights: [integers('s', [-1, -1])] },
  'Reshape to -7': { nodes: [node('Reshape', ['pooled', 's'], ['changed'])], weights: [integers('s', [-7])] },
  'Gather along axis 9': {
    nodes: [node('Gather', ['pooled', 'i'], ['changed'], { axis: int(9) })],
    weights: [integers('i', [0])],
  },
  'Gather of a row that is not there': {
    nodes: [node('Gather', ['w', 'i'], ['changed'])],
    weights: [floats('w', [2, 1]), integers('i', [1_000_000])],
  },
  'Split into other sizes': {
    nodes: [node('Split', ['w', 's'], ['changed', 'rest'])],
    weights: [floats('w', [6]), integers('s', [4, 9])],
  },
  'Split into nothing': { nodes: [node('Split', ['pooled'], [''], {}), node('Identity', ['pooled'], ['changed'])] },
  'Softmax along axis -9': { nodes: [node('Softmax', ['pooled'], ['changed'], { axis: int(-9) })] },
  'LayerNormalization of another width': {
    nodes: [node('LayerNormalization', ['pooled', 'w'], ['changed'])],
    weights: [floats('w', [5])],
  },
  'Transpose with axes twice': { nodes: [node('Transpose', ['pooled'], ['changed'], { perm: ints(0, 0) })] },
  'Transpose of too many axes': { nodes: [node('Transpose', ['pooled'], ['changed'], { perm: ints(0, 1, 2, 3) })] },
  'Slice by a step of 0': {
    nodes: [node('Slice', ['pooled', 'z', 'o', 'z', 'z'], ['changed'])],
    weights: [integers('z', [0]), integers('o', [1])],
  },
  'Squeeze of an axis of 3': {
    nodes: [node('Squeeze', ['w', 'z'], ['changed'])],
    weights: [floats('w', [3]), integers('z', [0])],
  },
  'Unsqueeze twice at one axis': {
    nodes: [node('Unsqueeze', ['pooled', 'z'], ['changed'])],
    weights: [integers('z', [1, 1])],
  },
  'Gemm of vectors': { nodes: [node('Gemm', ['w', 'w'], ['changed'])], weights: [floats('w', [3])] },
  'Expand to another shape': {
    nodes: [node('Expand', ['w', 's'], ['changed'])],
    weights: [floats('w', [3]), integers('s', [5])],
  },
  'Cast to a type that there is not': { nodes: [node('Cast', ['pooled'], ['changed'], { to: int(99) })] },
  'Cast without a type': { nodes: [node('Cast', ['pooled'], ['changed'])] },
  'an axis beyond whole numbers': { nodes: [node('Softmax', ['pooled'], ['changed'], { axis: int(2 ** 62) })] },
  'an axis that is a text': { nodes: [node('Softmax', ['pooled'], ['changed'], { axis: text('last') })] },
  'an epsilon that is no number': {
    nodes: [node('LayerNormalization', ['pooled', 'w'], ['changed'], { epsilon: float(Number.NaN) })],
    weights: [floats('w', [1])],
  },
  'a node without inputs': { nodes: [node('MatMul', [], ['changed'])] },
  'a node of too many inputs': { nodes: [node('Relu', ['pooled', 'pooled', 'pooled'], ['changed'])] },
  'a Constant without a value': { nodes: [node('Constant', [], ['changed'])] },
  'heads that divide nothing': {
    nodes: [
      node('MultiHeadAttention', ['pooled', 'pooled', 'pooled'], ['changed'], { num_heads: int(0) }, 'com.microsoft'),
    ],
  },
};

const declared = ({ nodes }: Case): onnx.IValueInfoProto[] =>
  ['pooled', ...nodes.flatMap(({ output }) => output ?? [])]
    .filter((name) => name !== '')
    .map((name) => typed(name, FLOAT, ['batch', 1]));

/** Each as it is, and with types in the file that say that all is well. */
export const contradictions: readonly HostileGraph[] = Object.entries(cases).flatMap(([name, one]) => [
  { name, bytes: () => withMiddle(one.nodes, { weights: one.weights ?? [] }) },
  {
    name: `${name}, with types that hide it`,
    bytes: () => withMiddle(one.nodes, { weights: one.weights ?? [], types: declared(one) }),
  },
]);
