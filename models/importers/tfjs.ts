import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { elementCount, float32Of, type Tensor, tensorOf } from '../../graph/tensor.ts';
import { messageOf, systemCode, type UserError } from '../../ground/errors.ts';
import { readBytes, readTextNow } from '../../ground/whole-file.ts';
import { strangeNumber } from '../finite.ts';
import { importError } from './importer.ts';

const manifest = z.object({
  weightsManifest: z.array(
    z.object({
      paths: z.array(z.string()),
      weights: z.array(
        z.object({
          name: z.string(),
          shape: z.array(z.int().nonnegative()),
          dtype: z.string(),
          quantization: z.unknown().optional(),
        }),
      ),
    }),
  ),
});
type Entry = z.infer<typeof manifest>['weightsManifest'][number]['weights'][number];

const parseManifest = (file: string, text: string): z.infer<typeof manifest> => {
  try {
    return manifest.parse(JSON.parse(text));
  } catch (cause) {
    throw importError(`${file} is no TensorFlow.js graph model: it has no readable weightsManifest`, { cause });
  }
};

const ELEMENT_BYTES = 4;

const tensorAt = (file: string, entry: Entry, data: Buffer, offset: number): Tensor => {
  const { name, dtype, shape, quantization } = entry;
  if ((dtype !== 'float32' && dtype !== 'int32') || quantization !== undefined) {
    throw importError(`${file}: weight '${name}' is ${quantization ? 'quantized' : dtype}; expected float32 or int32`);
  }
  const length = elementCount(shape);
  const bytes = data.subarray(offset, offset + length * ELEMENT_BYTES);
  if (bytes.length < length * ELEMENT_BYTES) {
    throw importError(`${file}: the shards end inside weight '${name}'; reinstall the package`);
  }
  const own = new Uint8Array(bytes).buffer;
  if (dtype === 'int32') return tensorOf('int32', shape, new Int32Array(own));
  const tensor = tensorOf('float32', shape, new Float32Array(own));
  const strange = strangeNumber(tensor);
  if (strange === undefined) return tensor;
  throw importError(
    `${file}: weight '${name}' (float32 [${shape.join(', ')}]) holds ${strange}; expected finite numbers: reinstall the package`,
  );
};

/** Files of a tfjs model: the manifest and its shards. */
export const tfjsFiles = (file: string): readonly string[] => {
  if (!existsSync(file)) return [file];
  const { weightsManifest } = parseManifest(file, readTextNow(file));
  return [file, ...weightsManifest.flatMap(({ paths }) => paths.map((path) => join(dirname(file), path)))];
};

/** A file of an installed package; one that is gone, or longer than it can be, means the package is damaged. */
export const readPackageFile = async (file: string, most?: number): Promise<Buffer> => {
  const refuse = (message: string): UserError => importError(`${message}; reinstall the package`);
  try {
    return await readBytes(file, { refuse, ...(most === undefined ? {} : { most }) });
  } catch (cause) {
    if (systemCode(cause) === '') throw cause;
    const reason = messageOf(cause);
    throw importError(`cannot read ${file}: ${reason}; reinstall the package`, { cause });
  }
};

/** The weights of a TensorFlow.js graph or layers model by name. Shards of a group are one long run of bytes. */
export const readTfjsWeights = async (file: string): Promise<ReadonlyMap<string, Tensor>> => {
  const weights = new Map<string, Tensor>();
  const { weightsManifest } = parseManifest(file, (await readPackageFile(file)).toString());
  for (const { paths, weights: entries } of weightsManifest) {
    const listed = entries.reduce((sum, { shape }) => sum + elementCount(shape) * ELEMENT_BYTES, 0);
    const shards = paths.map((path) => readPackageFile(join(dirname(file), path), listed));
    const data = Buffer.concat(await Promise.all(shards));
    let offset = 0;
    for (const entry of entries) {
      const tensor = tensorAt(file, entry, data, offset);
      offset += tensor.bytes.length;
      weights.set(entry.name, tensor);
    }
    if (offset !== data.length) {
      throw importError(
        `${file}: the manifest lists ${offset} bytes, the shards hold ${data.length}; reinstall the package`,
      );
    }
  }
  return weights;
};

/** Columns [from, to) of a float32 matrix, as a matrix of its own; leading dimensions of 1 are dropped. */
export const columns = (tensor: Tensor, from: number, to: number): Tensor => {
  const source = float32Of(tensor);
  const width = tensor.dims.at(-1) ?? 1;
  const rows = source.length / width;
  const out = new Float32Array(rows * (to - from));
  for (let row = 0; row < rows; row++)
    out.set(source.subarray(row * width + from, row * width + to), row * (to - from));
  return tensorOf('float32', tensor.dims.length === 1 ? [to - from] : [rows, to - from], out);
};
