import type { DType, TypedArray } from '../../../graph/tensor.ts';
import type { HostTensor } from '../../engine.ts';
import * as ort from './native.ts';

type Numeric = Exclude<ort.Tensor.Type, 'string'>;

/** The types that cross the border between JavaScript and the session. */
const crossing: Readonly<Partial<Record<DType, Numeric>>> = {
  float32: 'float32',
  float64: 'float64',
  float16: 'float16',
  int8: 'int8',
  int16: 'int16',
  int32: 'int32',
  int64: 'int64',
  uint8: 'uint8',
  uint16: 'uint16',
  uint32: 'uint32',
  uint64: 'uint64',
  bool: 'bool',
  int4: 'int4',
  uint4: 'uint4',
};

/** A session tensor over the same memory. */
export const toSession = (name: string, tensor: HostTensor): ort.Tensor => {
  const type = crossing[tensor.dtype];
  if (type === undefined) throw new TypeError(`'${name}' is ${tensor.dtype}, which cannot be fed to ONNX Runtime`);
  try {
    return new ort.Tensor(type, tensor.data, tensor.dims);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TypeError(`'${name}' is no ${tensor.dtype} tensor of [${tensor.dims.join(', ')}]: ${reason}`);
  }
};

/** The elements as decant holds them: float16 as raw 16-bit words, whatever the Node version offers. */
const elementsOf = (name: string, tensor: ort.Tensor): TypedArray => {
  const { data } = tensor;
  if (!ArrayBuffer.isView(data)) throw new TypeError(`output '${name}' is ${tensor.type}, expected numbers`);
  return tensor.type === 'float16' ? new Uint16Array(data.buffer, data.byteOffset, data.length) : (data as TypedArray);
};

export const fromSession = (name: string, tensor: ort.Tensor): HostTensor => {
  if (tensor.type === 'string') throw new TypeError(`output '${name}' holds text, expected numbers`);
  return { dtype: tensor.type, dims: tensor.dims, data: elementsOf(name, tensor) };
};

export const convert = (tensors: Readonly<Record<string, HostTensor>>): Record<string, ort.Tensor> => {
  const converted: Record<string, ort.Tensor> = {};
  for (const name in tensors) {
    const tensor = tensors[name];
    if (tensor !== undefined) converted[name] = toSession(name, tensor);
  }
  return converted;
};
