import onnxProto, { type onnx } from 'onnx-proto';
import { type Graph, type Node, type Value, value } from '../graph.ts';
import type { Tensor } from '../tensor.ts';
import { encodeAttributes } from './attributes.ts';
import { CodecError } from './dtypes.ts';
import type { Location } from './external.ts';
import { encodeTensor, fits } from './tensors.ts';
import { encodeType } from './types.ts';

/** Says where a weight is stored; undefined for inline. */
export type Placement = (name: Value, tensor: Tensor) => Location | undefined;

/** File format versions that brought the operator sets: readers refuse files newer than they are. */
const irVersion = (opset: number): number => (opset <= 20 ? 9 : opset <= 22 ? 10 : 11);

const encodeNode = (node: Node): onnx.INodeProto => ({
  name: node.name,
  opType: node.op,
  domain: node.domain,
  input: node.inputs.map((input) => input ?? ''),
  output: [...node.outputs],
  attribute: encodeAttributes(node.attrs, (graph) => encodeBody(graph, () => undefined)),
});

const encodeWeight = (name: Value, tensor: Tensor, placement: Placement): onnx.ITensorProto => {
  if (!fits(tensor)) {
    const shape = `${tensor.dtype}[${tensor.dims.join(', ')}]`;
    throw new CodecError(`weight '${name}' is a ${shape}, but holds ${tensor.bytes.length} bytes`);
  }
  return encodeTensor(name, tensor, placement(name, tensor));
};

const encodeBody = (graph: Graph, placement: Placement): onnx.IGraphProto => {
  const listed = new Set<Value>([value(''), ...graph.inputs, ...graph.outputs, ...graph.weights.keys()]);
  const inner = [...graph.types.keys()].filter((name) => !listed.has(name));
  return {
    name: graph.name,
    node: graph.nodes.map(encodeNode),
    initializer: [...graph.weights].map(([name, tensor]) => encodeWeight(name, tensor, placement)),
    input: graph.inputs.map((name) => encodeType(name, graph.types.get(name))),
    output: graph.outputs.map((name) => encodeType(name, graph.types.get(name))),
    valueInfo: inner.map((name) => encodeType(name, graph.types.get(name))),
  };
};

/** The bytes of an ONNX file with weights where `placement` says. Equal graphs give equal bytes. */
export const encodeModel = (graph: Graph, placement: Placement): Uint8Array => {
  const { ModelProto } = onnxProto.onnx;
  const opsetImport = Object.entries(graph.opsets)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([domain, version]) => ({ domain, version }));
  const model: onnx.IModelProto = {
    irVersion: irVersion(graph.opsets[''] ?? 1),
    producerName: 'decant',
    opsetImport,
    graph: encodeBody(graph, placement),
  };
  return ModelProto.encode(model).finish();
};

/** The bytes of an ONNX file with every weight inside. */
export const encodeGraph = (graph: Graph): Uint8Array => encodeModel(graph, () => undefined);
