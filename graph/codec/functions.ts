import onnxProto, { type onnx } from 'onnx-proto';
import { codecError } from './dtypes.ts';
import { type ByteAt, DELIMITED, type Field, fieldsOf } from './wire.ts';

/** A function that a file brings with it: a node that calls it stands for its nodes. */
export interface LocalFunction {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Values of attributes that a call leaves out. */
  readonly defaults: ReadonlyMap<string, onnx.IAttributeProto>;
  readonly nodes: readonly onnx.INodeProto[];
}

/** The functions of a file, and which of them a node calls. */
export interface LocalFunctions {
  called(node: onnx.INodeProto): LocalFunction | undefined;
  /** Operator sets that they are written in. */
  readonly opsets: readonly onnx.IOperatorSetIdProto[];
  /** Whether any node may call one. */
  readonly any: boolean;
}

/** Field numbers that the library of messages does not know yet, and those that lead to them. */
const fields = {
  model: { graph: 7, functions: 25 },
  graph: { node: 1 },
  node: { attribute: 5, overload: 8 },
  attribute: { graph: 6 },
  function: { node: 7, attributeProto: 11, overload: 13 },
} as const;

interface Source {
  readonly bytes: Uint8Array;
  readonly byteAt: ByteAt;
}

const partsOf = ({ byteAt }: Source, { body, end }: Pick<Field, 'body' | 'end'>, number: number): readonly Field[] =>
  [...fieldsOf(byteAt, body, end)].filter((field) => field.number === number && field.wire === DELIMITED);

const textOf = ({ bytes }: Source, field: Field | undefined): string =>
  field === undefined ? '' : Buffer.from(bytes.subarray(field.body, field.end)).toString('utf8');

type Overloads = Map<onnx.INodeProto, string>;

/** Finds the overload that each node asks for, those of bodies inside nodes included. */
const collect = (
  source: Source,
  nodes: readonly Field[],
  protos: readonly onnx.INodeProto[],
  found: Overloads,
): void => {
  for (const [i, field] of nodes.entries()) {
    const proto = protos[i];
    if (proto === undefined) continue;
    const overload = textOf(source, partsOf(source, field, fields.node.overload).at(-1));
    if (overload !== '') found.set(proto, overload);
    for (const [at, attribute] of partsOf(source, field, fields.node.attribute).entries()) {
      for (const body of partsOf(source, attribute, fields.attribute.graph)) {
        collect(source, partsOf(source, body, fields.graph.node), proto.attribute?.[at]?.g?.node ?? [], found);
      }
    }
  }
};

const overloadsIn = (source: Source, whole: Pick<Field, 'body' | 'end'>, model: onnx.IModelProto): Overloads => {
  const found: Overloads = new Map();
  for (const graph of partsOf(source, whole, fields.model.graph)) {
    collect(source, partsOf(source, graph, fields.graph.node), model.graph?.node ?? [], found);
  }
  for (const [i, one] of partsOf(source, whole, fields.model.functions).entries()) {
    collect(source, partsOf(source, one, fields.function.node), model.functions?.[i]?.node ?? [], found);
  }
  return found;
};

const keyOf = (domain: string | null | undefined, name: string | null | undefined, overload: string): string =>
  JSON.stringify([domain === 'ai.onnx' ? '' : (domain ?? ''), name ?? '', overload]);

const defaultsOf = (source: Source, field: Field): ReadonlyMap<string, onnx.IAttributeProto> => {
  const { AttributeProto } = onnxProto.onnx;
  const attributes = partsOf(source, field, fields.function.attributeProto).map(({ body, end }) =>
    AttributeProto.decode(source.bytes.subarray(body, end)),
  );
  return new Map(attributes.map((attribute) => [attribute.name, attribute]));
};

/** What the functions of a file are, by the names that nodes call them by. */
export const functionsOf = (bytes: Uint8Array, model: onnx.IModelProto): LocalFunctions => {
  const source: Source = { bytes, byteAt: (at) => bytes[at] ?? 0 };
  const whole = { body: 0, end: bytes.length };
  const overloads = overloadsIn(source, whole, model);
  const protos = model.functions ?? [];
  const byKey = new Map<string, LocalFunction>();
  for (const [i, field] of partsOf(source, whole, fields.model.functions).entries()) {
    const { name, domain, input, output, node } = protos[i] ?? {};
    const key = keyOf(domain, name, textOf(source, partsOf(source, field, fields.function.overload).at(-1)));
    if (byKey.has(key)) throw codecError(`two local functions are called '${name}'`);
    const defaults = defaultsOf(source, field);
    byKey.set(key, { name: name ?? '', inputs: input ?? [], outputs: output ?? [], defaults, nodes: node ?? [] });
  }
  return {
    called: (node) => {
      const overload = overloads.get(node) ?? '';
      const found = byKey.get(keyOf(node.domain, node.opType, overload));
      if (found !== undefined || overload === '') return found;
      throw codecError(
        `node '${node.name}' calls the overload '${overload}' of '${node.opType}', which the file does not have`,
      );
    },
    opsets: protos.flatMap(({ opsetImport }) => opsetImport ?? []),
    any: byKey.size > 0 || overloads.size > 0,
  };
};
