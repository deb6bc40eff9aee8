import type { onnx } from 'onnx-proto';
import { bindDim, type Dim, type Expression, symbol } from '../dim.ts';
import type { TensorType, Value } from '../graph.ts';
import { codecError, dtypeCodes, dtypeOf } from './dtypes.ts';
import { type Integer, toNumber } from './tensors.ts';

const factor = '(?:[A-Za-z_][A-Za-z0-9_.]*|\\d+)';
const term = `${factor}(?:\\*${factor})*`;
const arithmetic = new RegExp(`^[+-]?${term}(?:[+-]${term})*$`);

/** A dim_param that reads as arithmetic keeps its meaning; any other text becomes one symbol. */
const dimOfText = (text: string): Dim => {
  const tight = text.replaceAll(/\s+/g, '');
  return arithmetic.test(tight) ? bindDim(tight as Expression, {}) : symbol(text);
};

/** What some write in place of a size that only the run knows. */
const UNKNOWN = -1;

const decodeDim = (proto: onnx.TensorShapeProto.IDimension, name: string, axis: number): Dim => {
  const size: Integer | null | undefined = Object.hasOwn(proto, 'dimValue') ? proto.dimValue : undefined;
  if (size !== undefined && size !== null && toNumber(size) !== UNKNOWN) {
    if (Number.isSafeInteger(toNumber(size)) && toNumber(size) >= 0) return toNumber(size);
    throw codecError(`a dimension of '${name}' is ${size}; expected a whole number that is not negative`);
  }
  return proto.dimParam ? dimOfText(proto.dimParam) : symbol(`${name}_dim_${axis}`);
};

/** The type of a named value, or undefined where it is no tensor or says nothing. Unnamed dimensions get a symbol each. */
export const decodeType = (proto: onnx.IValueInfoProto): TensorType | undefined => {
  const tensor = proto.type?.tensorType;
  if (!tensor?.elemType) return undefined;
  const name = proto.name ?? '';
  const shape = tensor.shape?.dim?.map((dim, axis) => decodeDim(dim, name, axis));
  const elements = shape?.reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : 1), 1) ?? 0;
  if (!Number.isSafeInteger(elements))
    throw codecError(`'${name}' is declared as [${shape?.join(', ')}], more elements than there are whole numbers`);
  return {
    dtype: dtypeOf(tensor.elemType, `value '${name}'`),
    shape: Object.hasOwn(tensor, 'shape') ? (shape ?? []) : undefined,
  };
};

const encodeDim = (dim: Dim): onnx.TensorShapeProto.IDimension =>
  typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim };

export const encodeType = (name: Value, type: TensorType | undefined): onnx.IValueInfoProto => {
  if (type === undefined) return { name };
  const shape = type.shape === undefined ? {} : { shape: { dim: type.shape.map(encodeDim) } };
  return { name, type: { tensorType: { elemType: dtypeCodes[type.dtype], ...shape } } };
};
