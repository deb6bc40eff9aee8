import type { onnx } from 'onnx-proto';
import type { Attribute, Attributes, Graph } from '../graph.ts';
import { isWhole } from '../tensor.ts';
import { codecError } from './dtypes.ts';
import { bigintOf, decodeTensor, encodeTensor, type Integer } from './tensors.ts';

/** AttributeProto.AttributeType numbers. */
const kinds = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 } as const;

/** 2^63 does not fit an int64: it stands for the largest one, 2^63 - 1. */
const largest = { double: 2 ** 63, integer: 2n ** 63n - 1n } as const;

/** Whether the nearest double says which integer it was. */
const isTold = (integer: bigint): boolean => integer === largest.integer || BigInt(Number(integer)) === integer;

/** Attributes use the ends of int64, and what lies beside them, as "to the end"; anything else decant has to compute with. */
const doubleOf = (integer: bigint, where: string): number => {
  const number = Number(integer);
  if (isWhole(number) || Math.abs(number) === largest.double) return number;
  throw codecError(`${where} is ${integer}, too large to be held exactly`);
};

const intOf = (integer: bigint, where: string): Attribute => ({
  kind: 'int',
  value: doubleOf(integer, where),
  ...(isTold(integer) ? {} : { exact: integer }),
});

const intsOf = (integers: readonly bigint[], where: string): Attribute => ({
  kind: 'ints',
  value: integers.map((integer) => doubleOf(integer, where)),
  ...(integers.every(isTold) ? {} : { exact: integers }),
});

const WORD = 32;

const longOf = (integer: number | bigint): number | { readonly low: number; readonly high: number } => {
  if (typeof integer === 'number' && integer !== largest.double) return integer;
  const exact = typeof integer === 'number' ? largest.integer : integer;
  return { low: Number(BigInt.asIntN(WORD, exact)), high: Number(exact >> BigInt(WORD)) };
};

const textOf = (bytes: Uint8Array, where: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw codecError(`${where} holds bytes that are not UTF-8 text`);
  }
};

/** Models older than IR version 1 leave the type out: it is the field that is filled. */
const kindOf = (proto: onnx.IAttributeProto): number => {
  if (proto.type) return proto.type;
  const filled = [
    [kinds.float, Object.hasOwn(proto, 'f')],
    [kinds.int, Object.hasOwn(proto, 'i')],
    [kinds.string, Object.hasOwn(proto, 's')],
    [kinds.tensor, Object.hasOwn(proto, 't')],
    [kinds.graph, Object.hasOwn(proto, 'g')],
    [kinds.floats, (proto.floats?.length ?? 0) > 0],
    [kinds.ints, (proto.ints?.length ?? 0) > 0],
    [kinds.strings, (proto.strings?.length ?? 0) > 0],
  ] as const;
  return filled.find(([, present]) => present)?.[0] ?? 0;
};

export const decodeAttribute = (
  proto: onnx.IAttributeProto,
  where: string,
  folder: string | undefined,
  graph: (proto: onnx.IGraphProto) => Graph,
): Attribute => {
  const integers: readonly Integer[] = proto.ints ?? [];
  switch (kindOf(proto)) {
    case kinds.float:
      return { kind: 'float', value: proto.f ?? 0 };
    case kinds.int:
      return intOf(bigintOf(proto.i ?? 0), where);
    case kinds.string:
      return { kind: 'string', value: textOf(proto.s ?? new Uint8Array(), where) };
    case kinds.tensor:
      return { kind: 'tensor', value: decodeTensor(proto.t ?? {}, where, { folder }) };
    case kinds.graph:
      return { kind: 'graph', value: graph(proto.g ?? {}) };
    case kinds.floats:
      return { kind: 'floats', value: proto.floats ?? [] };
    case kinds.ints:
      return intsOf(integers.map(bigintOf), where);
    case kinds.strings:
      return { kind: 'strings', value: (proto.strings ?? []).map((item) => textOf(item, where)) };
    default:
      throw codecError(`${where} has a kind that decant cannot hold (type ${proto.type ?? 0})`);
  }
};

const encodeAttribute = (
  name: string,
  attribute: Attribute,
  graph: (graph: Graph) => onnx.IGraphProto,
): onnx.IAttributeProto => {
  const base = { name, type: kinds[attribute.kind] };
  switch (attribute.kind) {
    case 'float':
      return { ...base, f: attribute.value };
    case 'int':
      return { ...base, i: longOf(attribute.exact ?? attribute.value) };
    case 'string':
      return { ...base, s: Buffer.from(attribute.value) };
    case 'tensor':
      return { ...base, t: encodeTensor('', attribute.value) };
    case 'graph':
      return { ...base, g: graph(attribute.value) };
    case 'floats':
      return { ...base, floats: [...attribute.value] };
    case 'ints':
      return { ...base, ints: (attribute.exact ?? attribute.value).map(longOf) };
    case 'strings':
      return { ...base, strings: attribute.value.map((item) => Buffer.from(item)) };
  }
};

/** Attributes in the order of their names, so that equal graphs give equal bytes. */
export const encodeAttributes = (
  attrs: Attributes,
  graph: (graph: Graph) => onnx.IGraphProto,
): onnx.IAttributeProto[] =>
  Object.keys(attrs)
    .sort()
    .flatMap((name) => {
      const attribute = attrs[name];
      return attribute === undefined ? [] : [encodeAttribute(name, attribute, graph)];
    });
