import type { onnx } from 'onnx-proto';
import type { Bytes, DType, Tensor } from '../tensor.ts';
import { byteSize, bytesOf, elementCount } from '../tensor.ts';
import { codecError, dtypeCodes, dtypeOf } from './dtypes.ts';
import { externalBytes, type Location, type Region } from './external.ts';

/** protobufjs gives 64-bit integers as Long objects. */
export type Integer = number | { toNumber(): number; toString(): string };
export const toNumber = (integer: Integer): number => (typeof integer === 'number' ? integer : integer.toNumber());

const external = 1;
export const bigintOf = (integer: Integer): bigint => BigInt(integer.toString());

/** The elements where they are stored in typed fields instead of raw bytes. */
const typedData = (proto: onnx.ITensorProto, dtype: DType): ArrayBufferView => {
  const small = proto.int32Data ?? [];
  switch (dtype) {
    case 'float32':
      return Float32Array.from(proto.floatData ?? []);
    case 'float64':
      return Float64Array.from(proto.doubleData ?? []);
    case 'int64':
      return BigInt64Array.from((proto.int64Data ?? []).map(bigintOf));
    case 'uint64':
      return BigUint64Array.from((proto.uint64Data ?? []).map(bigintOf));
    case 'uint32':
      return Uint32Array.from((proto.uint64Data ?? []).map(toNumber));
    case 'int32':
      return Int32Array.from(small);
    case 'int16':
      return Int16Array.from(small);
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return Uint16Array.from(small);
    default:
      return Uint8Array.from(small);
  }
};

const placeOf = (proto: onnx.ITensorProto, expected: number, where: string): Location => {
  const entries = new Map((proto.externalData ?? []).map((entry) => [entry.key ?? '', entry.value ?? '']));
  const offset = Number(entries.get('offset') ?? 0);
  const length = Number(entries.get('length') ?? expected);
  if (!Number.isSafeInteger(offset) || offset < 0 || length !== expected) {
    throw codecError(`${where} should hold ${expected} bytes; its external data says ${length} at offset ${offset}`);
  }
  return { location: entries.get('location') ?? '', offset, length };
};

/** Where the data of a tensor may be besides in its message. */
export interface Elsewhere {
  /** Folder of external data. */
  readonly folder: string | undefined;
  /** Raw bytes that were left in the file of the model. */
  readonly apart?: Bytes | undefined;
  /** Takes up which places of other files are spoken for. */
  readonly regions?: Region[];
}

/** A tensor over the bytes it was decoded from: raw data stays a view or a range of its file, as external data is. */
export const decodeTensor = (
  proto: onnx.ITensorProto,
  where: string,
  { folder, apart, regions }: Elsewhere,
): Tensor => {
  const dtype = dtypeOf(proto.dataType ?? 0, where);
  const dims = (proto.dims ?? []).map(toNumber);
  if (dims.some((dim) => dim < 0 || !Number.isSafeInteger(dim))) {
    throw codecError(`${where} has the impossible dimensions [${dims.join(', ')}]`);
  }
  const expected = byteSize(dtype, dims);
  if (proto.dataLocation === external) {
    const place = placeOf(proto, expected, where);
    regions?.push({ ...place, dtype, where });
    return { dtype, dims, bytes: externalBytes(folder, place, where) };
  }
  const raw = proto.rawData ?? new Uint8Array();
  const bytes = apart ?? bytesOf(raw.length > 0 ? raw : typedData(proto, dtype));
  if (bytes.length !== expected) {
    const shape = `${dtype}[${dims.join(', ')}]`;
    throw codecError(`${where} is a ${shape} of ${expected} bytes, but ${bytes.length} are stored`);
  }
  return { dtype, dims, bytes };
};

/** The message for a tensor without its bytes, or with a reference to an external file that holds them. */
export const describeTensor = (name: string, tensor: Tensor, place?: Location): onnx.ITensorProto => {
  const base = { name, dims: [...tensor.dims], dataType: dtypeCodes[tensor.dtype] };
  if (place === undefined) return base;
  const externalData = [
    { key: 'location', value: place.location },
    { key: 'offset', value: String(place.offset) },
    { key: 'length', value: String(place.length) },
  ];
  return { ...base, externalData, dataLocation: external };
};

/** The whole message for a tensor. */
export const encodeTensor = (name: string, tensor: Tensor): onnx.ITensorProto => ({
  ...describeTensor(name, tensor),
  rawData: tensor.bytes.read(),
});

/** True where the stored bytes are exactly what the type and dimensions ask for. */
export const fits = (tensor: { readonly dtype: DType; readonly dims: readonly number[]; readonly bytes: Bytes }) =>
  elementCount(tensor.dims) >= 0 && tensor.bytes.length === byteSize(tensor.dtype, tensor.dims);
