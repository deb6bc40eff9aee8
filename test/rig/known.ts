import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Tensor, tensorOf } from '../../graph/tensor.ts';
import { root } from './build.ts';

export const knownFolder = join(root, 'test/golden/exports/known');

const integers = z.object({ dims: z.array(z.int()), int64: z.array(z.number()) });
const flags = z.object({ dims: z.array(z.int()), bool: z.array(z.boolean()) });
const floats = z.object({ dims: z.array(z.int()), float32: z.base64() });

/** A tensor as test/golden/exports/known/truth.py writes it. */
const tensor = z.union([
  flags.transform(({ dims, bool }): Tensor => tensorOf('bool', dims, Uint8Array.from(bool.map(Number)))),
  integers.transform(({ dims, int64 }): Tensor => tensorOf('int64', dims, BigInt64Array.from(int64.map(BigInt)))),
  floats.transform(({ dims, float32 }): Tensor => {
    const bytes = new Uint8Array(Buffer.from(float32, 'base64'));
    return tensorOf('float32', dims, new Float32Array(bytes.buffer));
  }),
]);

const units = z.record(z.string(), z.array(z.int()));
const removed = z.object({ heads: units, crossHeads: units, ffn: units, layers: z.array(z.int()) });
const holder = z.object({
  name: z.string(),
  transposed: z.boolean(),
  plus: z.int().optional(),
  dims: z.array(z.int()),
});

const layer = z.object({
  heads: z.int(),
  kvHeads: z.int(),
  headWidth: z.int(),
  ffn: z.union([z.int(), z.array(z.int())]),
  gated: z.boolean(),
  crossHeads: z.int().optional(),
});

const truth = z.object({
  architecture: z.string(),
  exporter: z.string(),
  opset: z.int(),
  tolerance: z.number(),
  anatomy: z.object({ layers: z.array(layer), hidden: z.int(), vocabulary: z.int().nullable() }),
  output: z.string(),
  samples: z.array(z.object({ inputs: z.record(z.string(), tensor), output: tensor })),
  cuts: z.array(z.object({ removed, outputs: z.array(tensor) })).optional(),
  gradients: z
    .object({
      sample: z.int(),
      cotangent: tensor,
      weights: z.array(z.intersection(z.object({ torch: z.string(), initializers: z.array(holder) }), tensor)),
    })
    .optional(),
});

/** Names of the exports whose answers are known. */
export const knownNames = readdirSync(knownFolder)
  .filter((file) => file.endsWith('.onnx'))
  .map((file) => file.replace('.onnx', ''));

/** What PyTorch says of one of them. */
export const knownTruth = (name: string, folder = knownFolder) =>
  truth.parse(JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')));
