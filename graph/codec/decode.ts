import onnxProto, { type onnx } from 'onnx-proto';
import { type Attributes, type Graph, type Node, type TensorType, type Value, value } from '../graph.ts';
import type { Bytes, Tensor } from '../tensor.ts';
import { decodeAttribute } from './attributes.ts';
import { complete } from './complete.ts';
import { codecError } from './dtypes.ts';
import { expectApart, type Region } from './external.ts';
import { functionsOf } from './functions.ts';
import { inlined } from './inline.ts';
import { scanModel } from './scan.ts';
import { decodeTensor, type Integer, toNumber } from './tensors.ts';
import { decodeType } from './types.ts';

interface Context {
  readonly folder: string | undefined;
  /** Raw bytes of weights of the graph itself that are not in its message, by the number of their initializer. */
  readonly apart: ReadonlyMap<number, Bytes>;
  readonly opsets: Readonly<Record<string, number>>;
  /** Places in other files that weights have, subgraphs included. */
  readonly regions: Region[];
}

/** 'ai.onnx' is the long name of the standard domain. */
const domainOf = (domain: string | null | undefined): string => (domain === 'ai.onnx' ? '' : (domain ?? ''));

const decodeNode = (proto: onnx.INodeProto, context: Context): Node => {
  const label = `node '${proto.name || (proto.output?.[0] ?? '')}' (${proto.opType})`;
  if (!proto.opType) throw codecError(`${label} names no operator`);
  if ((proto.output ?? []).every((output) => output === ''))
    throw codecError(`${label} gives no name to what it computes`);
  const attrs: Attributes = Object.fromEntries(
    (proto.attribute ?? []).map((attribute) => {
      const where = `attribute '${attribute.name}' of ${label}`;
      return [
        attribute.name ?? '',
        decodeAttribute(attribute, where, context.folder, (body) =>
          decodeBody(body, { ...context, apart: new Map() }, true),
        ),
      ];
    }),
  );
  return {
    op: proto.opType ?? '',
    domain: domainOf(proto.domain),
    name: proto.name ?? '',
    inputs: (proto.input ?? []).map((input) => (input === '' ? null : value(input))),
    outputs: (proto.output ?? []).map(value),
    attrs,
  };
};

const decodeWeights = (proto: onnx.IGraphProto, { folder, apart, regions }: Context): Map<Value, Tensor> => {
  const weights = new Map<Value, Tensor>();
  for (const [i, initializer] of (proto.initializer ?? []).entries()) {
    const name = value(initializer.name ?? '');
    if (name === '') throw codecError(`weight ${i} has no name`);
    if (weights.has(name)) throw codecError(`two weights are called '${name}'`);
    weights.set(name, decodeTensor(initializer, `weight '${name}'`, { folder, apart: apart.get(i), regions }));
  }
  return weights;
};

const decodeBody = (proto: onnx.IGraphProto, context: Context, nested: boolean): Graph => {
  const weights = decodeWeights(proto, context);
  const types = new Map<Value, TensorType>();
  for (const [name, { dtype, dims }] of weights) types.set(name, { dtype, shape: dims });
  for (const info of [...(proto.input ?? []), ...(proto.output ?? []), ...(proto.valueInfo ?? [])]) {
    const name = value(info.name ?? '');
    const type = decodeType(info);
    if (type !== undefined && !types.has(name)) types.set(name, type);
  }
  const names = (list: readonly onnx.IValueInfoProto[] | null | undefined): Value[] =>
    (list ?? []).map((info) => value(info.name ?? ''));
  // Old files list weights among the inputs, as defaults that a caller may replace: decant takes them as constants.
  const inputs = names(proto.input).filter((name) => !weights.has(name));
  const untyped = inputs.find((name) => !types.has(name));
  if (untyped !== undefined && !nested) {
    throw codecError(`input '${untyped}' is no tensor, or its element type is missing`);
  }
  const graph: Graph = {
    name: proto.name ?? '',
    nodes: (proto.node ?? []).map((node) => decodeNode(node, context)),
    inputs,
    outputs: names(proto.output),
    weights,
    types,
    opsets: context.opsets,
  };
  if (nested) return graph;
  expectNamesOnce(graph);
  return complete(graph);
};

/** Callers give and take values by name. */
const expectNamesOnce = ({ inputs, outputs }: Graph): void => {
  for (const [what, names] of [['inputs', inputs] as const, ['outputs', outputs] as const]) {
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice !== undefined) throw codecError(`two ${what} are called '${twice}'`);
  }
  if (inputs.some((name) => name === '')) throw codecError('an input has no name');
};

/** Before the first one operators had other meanings (broadcasting by an attribute); behind the last one nobody knows theirs. */
const knownOpsets = { first: 7, last: 25 } as const;

const expectKnown = (version: number | undefined): void => {
  const { first, last } = knownOpsets;
  if (version === undefined || (version >= first && version <= last)) return;
  throw codecError(
    `the model is written in operator set ${version} of ONNX; decant reads ${first} to ${last}: export it for one of these`,
  );
};

const decodeOpsets = (entries: readonly onnx.IOperatorSetIdProto[]): Record<string, number> => {
  const opsets = new Map<string, number>();
  for (const entry of entries) {
    const domain = domainOf(entry.domain);
    const version: Integer = entry.version ?? 0;
    const found = toNumber(version);
    const other = opsets.get(domain) ?? found;
    if (other !== found) {
      throw codecError(`the model imports two versions of the domain '${domain}': ${other} and ${found}`);
    }
    opsets.set(domain, found);
  }
  expectKnown(opsets.get(''));
  // Unlike an assignment this makes an entry of any name.
  return Object.fromEntries(opsets);
};

const parse = (bytes: Uint8Array): onnx.IModelProto => {
  if (bytes.length === 0) throw codecError('the file is empty; an ONNX model was expected');
  scanModel(bytes);
  try {
    return onnxProto.onnx.ModelProto.decode(bytes);
  } catch (error) {
    throw codecError(`the bytes are no ONNX model: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/**
 * The graph in the bytes of an ONNX file. Weights stay views of `bytes`; external ones are ranges of files in `folder`,
 * read when needed, as are those that were left `apart`. Throws a codecError on foreign or damaged bytes and on models
 * that decant would not hold faithfully.
 */
export const decodeGraph = (bytes: Uint8Array, options: DecodeOptions = {}): Graph => decoded(bytes, options).graph;

interface DecodeOptions {
  readonly folder?: string;
  readonly apart?: ReadonlyMap<number, Bytes>;
}

/** The same, with the places in other files that its weights have. */
export const decoded = (
  bytes: Uint8Array,
  { folder, apart = new Map() }: DecodeOptions,
): { readonly graph: Graph; readonly regions: readonly Region[] } => {
  const model = parse(bytes);
  if (!model.graph || (model.opsetImport ?? []).length === 0) {
    const missing = model.graph ? 'operator set versions' : 'graph';
    throw codecError(`the bytes are no ONNX model, or the file is cut short: it has no ${missing}`);
  }
  const regions: Region[] = [];
  const functions = functionsOf(bytes, model);
  const opsets = decodeOpsets([...(model.opsetImport ?? []), ...functions.opsets]);
  const graph = decodeBody(inlined(model.graph, functions), { folder, apart, opsets, regions }, false);
  expectApart(regions);
  return { graph, regions };
};
