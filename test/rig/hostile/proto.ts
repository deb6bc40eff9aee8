import onnxProto, { type onnx } from 'onnx-proto';

/** ONNX files as strangers write them: straight through the format's own messages, so that nothing of decant's writer checks them. */
const { ModelProto, GraphProto } = onnxProto.onnx;

export const FLOAT = 1;
export const INT64 = 7;

type Attributes = Readonly<Record<string, onnx.IAttributeProto>>;

export const int = (i: number): onnx.IAttributeProto => ({ type: 2, i });
export const float = (f: number): onnx.IAttributeProto => ({ type: 1, f });
export const ints = (...list: readonly number[]): onnx.IAttributeProto => ({ type: 7, ints: [...list] });
export const text = (s: string): onnx.IAttributeProto => ({ type: 3, s: Buffer.from(s) });
export const body = (g: onnx.IGraphProto): onnx.IAttributeProto => ({ type: 5, g });
export const tensorAttribute = (t: onnx.ITensorProto): onnx.IAttributeProto => ({ type: 4, t });

export const node = (
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Attributes = {},
  domain = '',
): onnx.INodeProto => ({
  opType,
  domain,
  name: `node of ${output[0] ?? ''}`,
  input: [...input],
  output: [...output],
  attribute: Object.entries(attributes).map(([name, attribute]) => ({ ...attribute, name })),
});

export const floats = (name: string, dims: readonly number[], values?: readonly number[]): onnx.ITensorProto => {
  const count = dims.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: count }, (_, i) => values?.[i % values.length] ?? Math.sin(i + 1));
  return { name, dims: [...dims], dataType: FLOAT, rawData: new Uint8Array(data.buffer) };
};

export const integers = (name: string, values: readonly number[], dims: readonly number[] = [values.length]) => ({
  name,
  dims: [...dims],
  dataType: INT64,
  rawData: new Uint8Array(BigInt64Array.from(values, (value) => BigInt(value)).buffer),
});

export const typed = (name: string, elemType: number, dims: readonly (number | string)[]): onnx.IValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType,
      shape: { dim: dims.map((dim) => (typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim })) },
    },
  },
});

export interface Parts {
  readonly nodes?: readonly onnx.INodeProto[];
  readonly weights?: readonly onnx.ITensorProto[];
  readonly inputs?: readonly onnx.IValueInfoProto[];
  readonly outputs?: readonly onnx.IValueInfoProto[];
  readonly types?: readonly onnx.IValueInfoProto[];
  readonly opsets?: readonly (readonly [string, number])[];
  readonly ir?: number;
}

export const tokens = (name: string): onnx.IValueInfoProto => typed(name, INT64, ['batch', 'sequence']);
const inputs = ['input_ids', 'attention_mask', 'token_type_ids'].map(tokens);
const outputs = [typed('logits', FLOAT, ['batch', 3])];

export const graphOf = (parts: Parts): onnx.IGraphProto => ({
  name: 'stranger',
  node: [...(parts.nodes ?? [])],
  initializer: [...(parts.weights ?? [])],
  input: [...(parts.inputs ?? inputs)],
  output: [...(parts.outputs ?? outputs)],
  valueInfo: [...(parts.types ?? [])],
});

/** A model around the bytes of its graph. */
const around = (graph: Uint8Array, { opsets = [['', 17]], ir = 8 }: Parts): Buffer => {
  const rest = ModelProto.encode({
    irVersion: ir,
    opsetImport: opsets.map(([domain, version]) => ({ domain, version })),
  }).finish();
  return Buffer.concat([rest, wrapped(7, graph)]);
};

export const fileOf = (parts: Parts): Buffer => around(GraphProto.encode(graphOf(parts)).finish(), parts);

/** The same for a graph that was put together by hand. */
export const fileAround = (graph: Uint8Array): Buffer => around(graph, {});

const varint = (value: number): number[] => {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
};

/** A field of known length around bytes. */
export const wrapped = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes]);

/** The mean of the mask, (batch, 1), as `pooled`: what most graphs here begin with. */
export const pooling = (): onnx.INodeProto[] => [
  node('Cast', ['attention_mask'], ['mask'], { to: int(FLOAT) }),
  node('ReduceMean', ['mask'], ['pooled'], { axes: ints(1), keepdims: int(1) }),
];

/** (batch, 1) named `from` to the logits. */
export const classifier = (from = 'pooled'): onnx.INodeProto => node('Mul', [from, 'classes'], ['logits']);
export const classes = floats('classes', [1, 3], [1, -2, 3]);

/** A whole classifier with some nodes in its middle, which make `changed` of `pooled`. */
export const withMiddle = (middle: readonly onnx.INodeProto[], more: Parts = {}): Buffer =>
  fileOf({
    ...more,
    nodes: [...pooling(), ...middle, classifier('changed'), ...(more.nodes ?? [])],
    weights: [classes, ...(more.weights ?? [])],
  });
