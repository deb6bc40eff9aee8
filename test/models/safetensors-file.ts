import { writeFileSync } from 'node:fs';
import { float32Of } from '../../graph/tensor.ts';
import { readSafetensors } from '../../models/safetensors/file.ts';
import { floatTensor } from '../../models/safetensors/float.ts';

/** A safetensors file with whatever header is asked for, true or not. */
export const safetensors = (header: unknown, data: Uint8Array = new Uint8Array(), announced?: bigint): Buffer => {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(announced ?? BigInt(text.length));
  return Buffer.concat([length, text, data]);
};

export const writeSafetensors = (path: string, ...parts: Parameters<typeof safetensors>): void =>
  writeFileSync(path, safetensors(...parts));

export interface Floats {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** A safetensors file of float tensors, one behind the other. */
export const writeTensors = (path: string, tensors: ReadonlyMap<string, Floats>): void => {
  let at = 0;
  const header = [...tensors].map(([name, { dims, data }]) => {
    const begin = at;
    at += data.byteLength;
    return [name, { dtype: 'F32', shape: dims, data_offsets: [begin, at] }];
  });
  const data = [...tensors.values()].map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  writeSafetensors(path, Object.fromEntries(header), Buffer.concat(data));
};

/** The tensors of a safetensors file as floats. */
export const readTensors = (path: string): Map<string, Floats> =>
  new Map(
    [...readSafetensors(path)].map(([name, stored]) => [
      name,
      { dims: stored.dims, data: float32Of(floatTensor(name, stored)) },
    ]),
  );
