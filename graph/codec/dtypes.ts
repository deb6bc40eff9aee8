import { userErrors } from '../../ground/errors.ts';
import type { DType } from '../tensor.ts';

/** TensorProto.DataType numbers of the element types decant holds. */
export const dtypeCodes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  uint4: 21,
  int4: 22,
} as const satisfies Record<DType, number>;

const byCode = new Map<number, DType>(
  Object.entries(dtypeCodes).map(([dtype, code]) => [code, dtype as keyof typeof dtypeCodes]),
);

/** Names of the types that decant refuses, so that the refusal can say what was found. */
const foreign: Readonly<Record<number, string>> = {
  0: 'undefined',
  8: 'string',
  14: 'complex64',
  15: 'complex128',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  23: 'float4e2m1',
};

/** The element type behind an ONNX data type number. */
export const dtypeOf = (code: number, where: string): DType => {
  const dtype = byCode.get(code);
  if (dtype !== undefined) return dtype;
  throw codecError(
    `${where} has elements of type ${foreign[code] ?? `number ${code}`}; decant reads ${[...byCode.values()].join(', ')}`,
  );
};

/** A file that is no ONNX model, or a model that says something decant cannot hold. The message is for the user. */
export const codecError = userErrors('codec');
