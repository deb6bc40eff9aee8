import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { readGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';

const folder = join(import.meta.dirname, '../golden/exports/known');

const tensor = z.object({
  dims: z.array(z.int()),
  int64: z.array(z.int()).optional(),
  int32: z.array(z.int()).optional(),
  bool: z.array(z.union([z.int(), z.boolean()])).optional(),
  float32: z.base64().optional(),
});

const byLayer = z.record(z.string(), z.array(z.int()));
const units = z.object({ heads: byLayer, crossHeads: byLayer, ffn: byLayer, layers: z.array(z.int()) });

const layer = z.object({
  ...{ heads: z.int(), kvHeads: z.int(), headWidth: z.int(), gated: z.boolean() },
  crossHeads: z.int().optional(),
  ffn: z.union([z.int(), z.array(z.int())]),
});

const initializer = z.object({ name: z.string(), transposed: z.boolean(), dims: z.array(z.int()) });

const truth = z.object({
  architecture: z.string(),
  exporter: z.string(),
  tolerance: z.number(),
  anatomy: z.object({ layers: z.array(layer), hidden: z.int(), vocabulary: z.int().nullish() }),
  output: z.string(),
  samples: z.array(z.object({ inputs: z.record(z.string(), tensor), output: tensor })),
  cuts: z.array(z.object({ removed: units, outputs: z.array(tensor) })).default([]),
  gradients: z
    .object({
      ...{ sample: z.int(), cotangent: tensor },
      weights: z.array(tensor.extend({ torch: z.string(), initializers: z.array(initializer) })),
    })
    .nullish(),
});

/** What PyTorch says of a model that was exported. */
export type Truth = z.output<typeof truth>;

/** A tensor as a graph is fed it. */
export const hostTensor = ({ dims, int64, int32, bool, float32 }: z.output<typeof tensor>): HostTensor => {
  if (int64 !== undefined) return { dtype: 'int64', dims, data: BigInt64Array.from(int64, BigInt) };
  if (int32 !== undefined) return { dtype: 'int32', dims, data: Int32Array.from(int32) };
  if (bool !== undefined) return { dtype: 'bool', dims, data: Uint8Array.from(bool, Number) };
  const bytes = Uint8Array.from(Buffer.from(float32 ?? '', 'base64'));
  return { dtype: 'float32', dims, data: new Float32Array(bytes.buffer) };
};

export const hostTensors = (inputs: Readonly<Record<string, z.output<typeof tensor>>>): Feeds =>
  Object.fromEntries(Object.entries(inputs).map(([name, one]) => [name, hostTensor(one)]));

/** Names of the committed exports, with what is known of each beside it. */
export const knownExports = readdirSync(folder)
  .filter((file) => file.endsWith('.onnx'))
  .map((file) => file.slice(0, -'.onnx'.length));

export const readKnown = async (name: string): Promise<{ readonly graph: Graph; readonly truth: Truth }> => ({
  graph: await readGraph(join(folder, `${name}.onnx`)),
  truth: truth.parse(JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))),
});
