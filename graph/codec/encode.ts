import onnxProto, { type onnx } from 'onnx-proto';
import { type Graph, type Node, type Value, value } from '../graph.ts';
import { bytesOf, type Tensor } from '../tensor.ts';
import { encodeAttributes } from './attributes.ts';
import { codecError } from './dtypes.ts';
import type { Location } from './external.ts';
import { field, fields, joined, lengthOf, type Pieces } from './pieces.ts';
import { describeTensor, encodeTensor, fits } from './tensors.ts';
import { encodeType } from './types.ts';

/** Says where a weight is stored; undefined for inline. */
export type Placement = (name: Value, tensor: Tensor) => Location | undefined;

/** File format versions that brought the operator sets: readers refuse files newer than they are. */
export const irVersion = (opset: number): number => (opset <= 20 ? 9 : opset <= 22 ? 10 : 11);

const encodeNode = (node: Node): onnx.INodeProto => ({
  name: node.name,
  opType: node.op,
  domain: node.domain,
  input: node.inputs.map((input) => input ?? ''),
  output: [...node.outputs],
  attribute: encodeAttributes(node.attrs, encodeInner),
});

const checked = (name: Value, tensor: Tensor): Tensor => {
  if (fits(tensor)) return tensor;
  const shape = `${tensor.dtype}[${tensor.dims.join(', ')}]`;
  throw codecError(`weight '${name}' is a ${shape}, but holds ${tensor.bytes.length} bytes`);
};

/** A graph's message without its weights. */
const partsOf = (graph: Graph) => {
  const listed = new Set<Value>([value(''), ...graph.inputs, ...graph.outputs, ...graph.weights.keys()]);
  const inner = [...graph.types.keys()].filter((name) => !listed.has(name));
  return {
    name: graph.name,
    node: graph.nodes.map(encodeNode),
    input: graph.inputs.map((name) => encodeType(name, graph.types.get(name))),
    output: graph.outputs.map((name) => encodeType(name, graph.types.get(name))),
    valueInfo: inner.map((name) => encodeType(name, graph.types.get(name))),
  };
};

/** The graph inside a node, whose weights are few. */
const encodeInner = (graph: Graph): onnx.IGraphProto => ({
  ...partsOf(graph),
  initializer: [...graph.weights].map(([name, tensor]) => encodeTensor(name, checked(name, tensor))),
});

/** One weight: its description, then the raw bytes, which are the last field of the message. */
const weightPieces = (name: Value, tensor: Tensor, placement: Placement): Pieces => {
  const { TensorProto } = onnxProto.onnx;
  const place = placement(name, tensor);
  const described = bytesOf(TensorProto.encode(describeTensor(name, checked(name, tensor), place)).finish());
  return place === undefined ? [described, ...field(fields.rawDataOfTensor, [tensor.bytes])] : [described];
};

/** A message is its fields one after the other, so what stands before and behind the weights is encoded apart. */
const graphPieces = (graph: Graph, placement: Placement): Pieces => {
  const { GraphProto } = onnxProto.onnx;
  const { name, node, input, output, valueInfo } = partsOf(graph);
  const weights = [...graph.weights].flatMap(([weight, tensor]) =>
    field(fields.initializerOfGraph, weightPieces(weight, tensor, placement)),
  );
  const before = GraphProto.encode({ name, node }).finish();
  return [bytesOf(before), ...weights, bytesOf(GraphProto.encode({ input, output, valueInfo }).finish())];
};

/** An ONNX file piece by piece, with weights where `placement` says. Equal graphs give equal bytes. */
export const modelPieces = (graph: Graph, placement: Placement): Pieces => {
  const { ModelProto } = onnxProto.onnx;
  const opsetImport = Object.entries(graph.opsets)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([domain, version]) => ({ domain, version }));
  const before = ModelProto.encode({ irVersion: irVersion(graph.opsets[''] ?? 1), producerName: 'decant' }).finish();
  return [
    bytesOf(before),
    ...field(fields.graphOfModel, graphPieces(graph, placement)),
    bytesOf(ModelProto.encode({ opsetImport }).finish()),
  ];
};

/** The bytes of an ONNX file, with every weight inside unless `placement` puts it elsewhere. */
export const encodeGraph = (graph: Graph, placement: Placement = () => undefined): Uint8Array =>
  joined(modelPieces(graph, placement));

/** Bytes of the file that `encodeGraph` gives; no weight is read. */
export const encodedBytes = (graph: Graph): number => lengthOf(modelPieces(graph, () => undefined));
