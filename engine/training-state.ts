import type { Graph, Value } from '../graph/graph.ts';
import { elementCount, float32Of } from '../graph/tensor.ts';
import { initialize } from '../models/initialize.ts';
import type { Json } from '../stages/stage.ts';
import { type Moments, momentsFor } from './adamw.ts';
import type { StepParameter } from './step.ts';

/** A weight under training: its own memory, fed to the step without a copy and updated in place. */
export interface Trained {
  readonly name: Value;
  readonly dims: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
  readonly moments: Moments;
  readonly auxiliary: boolean;
  /** The weights of the best epoch, once there is one. */
  readonly best: Float32Array<ArrayBuffer>;
}

export interface CurvePoint {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy?: number;
}

/** Everything that moves besides the arrays, as JSON. */
export interface TrainingProgress {
  /** Updates done. */
  readonly step: number;
  /** Epochs whose validation is done. */
  readonly validated: number;
  readonly best: { readonly epoch: number; readonly accuracy: number; readonly loss: number } | null;
  readonly curve: readonly CurvePoint[];
  /** Sum of losses and updates since the last point of the curve. */
  readonly open: { readonly loss: number; readonly steps: number };
  readonly tokens: number;
  readonly seconds: number;
}

export const freshProgress: TrainingProgress = {
  step: 0,
  validated: 0,
  best: null,
  curve: [],
  open: { loss: 0, steps: 0 },
  tokens: 0,
  seconds: 0,
};

const initialData = (
  graph: Graph,
  { name, dims, auxiliary }: StepParameter,
  seed: number,
): Float32Array<ArrayBuffer> => {
  const tensor = graph.weights.get(name);
  if (tensor !== undefined) return new Float32Array(float32Of(tensor));
  if (!auxiliary) throw new Error(`the model has no weight '${name}'`);
  return new Float32Array(float32Of(initialize(seed, name, dims, { kind: 'xavier' })));
};

/** Arrays for every parameter of a step, filled from the model; parameters of losses are drawn. */
export const trainedArrays = (graph: Graph, parameters: readonly StepParameter[], seed: number): readonly Trained[] =>
  parameters.map((parameter) => {
    const { name, dims, auxiliary } = parameter;
    return {
      name,
      dims,
      auxiliary,
      data: initialData(graph, parameter, seed),
      moments: momentsFor(elementCount(dims)),
      best: new Float32Array(auxiliary ? 0 : elementCount(dims)),
    };
  });

const schema = 'decant.training/1';

const arraysOf = (trained: readonly Trained[], withBest: boolean): readonly Float32Array[] =>
  trained.flatMap(({ data, moments, best }) => [data, moments.first, moments.second, ...(withBest ? [best] : [])]);

const bytesOf = (array: Float32Array): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** A checkpoint: progress as JSON and the arrays end to end. */
export const snapshot = (
  progress: TrainingProgress,
  trained: readonly Trained[],
): { readonly meta: Json; readonly data: readonly Uint8Array[] } => ({
  meta: { schema, names: trained.map(({ name }) => name), progress: JSON.parse(JSON.stringify(progress)) },
  data: arraysOf(trained, progress.best !== null).map(bytesOf),
});

const isSnapshotMeta = (meta: Json): meta is { names: readonly string[]; progress: { readonly [key: string]: Json } } =>
  typeof meta === 'object' && meta !== null && 'schema' in meta && meta.schema === schema;

/** The progress that a checkpoint holds; undefined where it is none of training. */
export const savedProgress = (meta: Json): TrainingProgress | undefined =>
  isSnapshotMeta(meta) ? { ...freshProgress, ...meta.progress } : undefined;

/** Fills the arrays from a checkpoint; false where they are not the ones that were saved. */
export const restore = (
  saved: { readonly meta: Json; readonly data: Uint8Array },
  trained: readonly Trained[],
): boolean => {
  const progress = savedProgress(saved.meta);
  if (progress === undefined || !isSnapshotMeta(saved.meta)) return false;
  const { names } = saved.meta;
  const arrays = arraysOf(trained, progress.best !== null);
  const size = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const same = names.length === trained.length && trained.every(({ name }, i) => name === names[i]);
  if (!same || size !== saved.data.length) return false;
  let at = 0;
  for (const array of arrays) {
    bytesOf(array).set(saved.data.subarray(at, at + array.byteLength));
    at += array.byteLength;
  }
  return true;
};
