import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Machine } from './cpu.ts';
import { readRecord } from './record-files.ts';

/**
 * What a node of an optimised graph is there for: a product with a weight, a step between float and integers, attention
 * (fused or in pieces), or anything else (look-ups, normalisations, activations, residual sums, pooling).
 */
export type NodeGroup = 'product' | 'quantize' | 'attention' | 'other';

/** A node of the graph that ONNX Runtime really runs. */
export interface ProfiledNode {
  readonly name: string;
  /** With its domain where that is not the standard one. */
  readonly op: string;
  /** The part of the model that it belongs to: `embeddings`, `layers.0`, `head`. */
  readonly layer: string;
  readonly group: NodeGroup;
  /** Kernel time of one run in milliseconds, as ONNX Runtime itself profiles it; profiling adds about a microsecond. */
  readonly ms: number;
}

/** A product of activations with a weight, as it is computed. */
export interface ProfiledProduct {
  readonly node: string;
  readonly weight: string;
  readonly inner: number;
  readonly columns: number;
  /** Element type of the weight, float32, int8 or uint8, or how many bits it has in blocks. */
  readonly dtype: string;
  /** Whether every output column has a scale of its own; null for float weights and where the scale is applied elsewhere. */
  readonly perChannel: boolean | null;
  /** Zeros among the elements of the weight, 0 to 1. */
  readonly zeros: number;
  /** Why a float weight stays so under `quantize`; null where quantize would take it, and for integers. */
  readonly kept: string | null;
}

/** What a weight is called that stands in blocks of so many bits. */
export const storedIn = (bits: number): string => `blocks of ${bits} bits`;

export const isInBlocks = ({ dtype }: Pick<ProfiledProduct, 'dtype'>): boolean => dtype.startsWith('blocks of ');

/** Attention that runs in pieces, and what kept it from being fused. */
export interface BrokenAttention {
  /** Its Softmax. */
  readonly node: string;
  readonly reason: string;
}

export interface FusedAttention {
  readonly node: string;
  readonly heads: number;
  readonly width: number;
}

/**
 * Graphs that are timed beside the model, on equal feeds and interleaved with it. `full`: the model; `reference`: the
 * run's first classifier, in the same rounds; `empty`: inputs and outputs of the model and nothing between; `chain`: as
 * many nodes that do nothing; `without-...`: the results of some nodes given as constants. The others change one thing:
 * docs/causes.md says which.
 */
export type Counterfactual =
  | 'full'
  | 'reference'
  | 'empty'
  | 'chain'
  | 'without-quantize'
  | 'without-product'
  | 'without-attention'
  | 'without-other'
  | 'quantized'
  | 'float'
  | 'signed'
  | 'fused-attention'
  | 'dense'
  | 'cut'
  | 'narrow-heads'
  | 'wide-heads'
  | 'asked-threads'
  | 'core-threads';

/** One timed graph. */
export interface Timed {
  /** Nodes that it runs. */
  readonly nodes: number;
  /** Milliseconds, one a round. Equal places of two graphs of one model are of the same round. */
  readonly ms: readonly number[];
  /** Share of each round's turn in which the process had no processor, since other work did: 0 to 1. */
  readonly waited: readonly number[];
}

export interface ModelProfile {
  /** Multiply-accumulates of the whole model at the measured cell. */
  readonly macs: number;
  /** Bytes of all weights, and of the largest table that ids look up. */
  readonly bytes: number;
  readonly table: { readonly name: string; readonly bytes: number } | null;
  readonly nodes: readonly ProfiledNode[];
  readonly products: readonly ProfiledProduct[];
  readonly attention: { readonly fused: readonly FusedAttention[]; readonly broken: readonly BrokenAttention[] };
  readonly times: Readonly<Partial<Record<Counterfactual, Timed>>>;
}

/** Where the time of every model goes, on one text of the middle length. */
export interface Profile {
  readonly schema: 'decant.profile/2';
  readonly machine: Machine;
  /** Threads that latency is measured with. Everything here runs on one, apart from `asked-threads` and `core-threads`. */
  readonly threads: number;
  readonly cell: { readonly batch: number; readonly length: number };
  /** The model timed as `reference` beside all others; null where no model does what the data is for. */
  readonly reference: string | null;
  readonly models: Readonly<Record<string, ModelProfile>>;
}

const SCHEMA: Profile['schema'] = 'decant.profile/2';
const fileName = 'profile.json';

export const writeProfile = async (folder: string, profile: Profile): Promise<void> =>
  writeFile(join(folder, fileName), `${JSON.stringify(profile)}\n`);

const figure = z.number().nonnegative();
const counterfactuals = [
  ...(['full', 'reference', 'empty', 'chain', 'quantized', 'float', 'signed', 'fused-attention', 'dense'] as const),
  ...(['without-quantize', 'without-product', 'without-attention', 'without-other'] as const),
  ...(['cut', 'narrow-heads', 'wide-heads', 'asked-threads', 'core-threads'] as const),
] as const satisfies readonly Counterfactual[];

const modelSchema = z.object({
  macs: figure,
  bytes: figure,
  table: z.object({ name: z.string(), bytes: figure }).nullable(),
  nodes: z.array(
    z.object({
      name: z.string(),
      op: z.string(),
      layer: z.string(),
      group: z.enum(['product', 'quantize', 'attention', 'other']),
      ms: figure,
    }),
  ),
  products: z.array(
    z.object({
      node: z.string(),
      weight: z.string(),
      inner: figure,
      columns: figure,
      dtype: z.string(),
      perChannel: z.boolean().nullable(),
      zeros: figure,
      kept: z.string().nullable(),
    }),
  ),
  attention: z.object({
    fused: z.array(z.object({ node: z.string(), heads: figure, width: figure })),
    broken: z.array(z.object({ node: z.string(), reason: z.string() })),
  }),
  times: z.partialRecord(
    z.enum(counterfactuals),
    z.object({ nodes: figure, ms: z.array(figure), waited: z.array(z.number()) }),
  ),
});

const schema = z.object({
  schema: z.literal(SCHEMA),
  machine: z.custom<Machine>((value) => typeof value === 'object' && value !== null),
  threads: figure,
  cell: z.object({ batch: z.int().positive(), length: z.int().positive() }),
  reference: z.string().nullable(),
  models: z.record(z.string(), modelSchema),
});

/** Throws a dataError where the file is damaged or of another version. */
export const readProfile = (path: (file: string) => string): Promise<Profile> =>
  readRecord<Profile>(path(fileName), {
    schema,
    version: SCHEMA,
    other:
      'another version of decant made it; run the pipeline again, and only latencies and profile are measured anew',
  });
