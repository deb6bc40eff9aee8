import type { Graph, Value } from '../graph/graph.ts';
import { elementCount, float32Of, tensorOf } from '../graph/tensor.ts';
import type { Json } from '../ground/json.ts';
import type { Progress } from '../ground/progress.ts';
import { type TrainingSummary, withFormerScores } from '../ground/reported/training.ts';
import { type DatasetTask, dataTask } from '../ground/tasks.ts';
import { initialize } from '../models/initialize.ts';
import type { Model } from '../models/model.ts';
import type { Moments } from './adamw.ts';
import { bytesFor, KernelMemory } from './kernels/memory.ts';
import { type LossScale, unscaled } from './loss-scale.ts';
import type { StepParameter } from './step.ts';
import type { HookState, WeightArrays, WeightHook } from './train-request.ts';

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

/** Everything that moves besides the arrays, as JSON. */
export interface TrainingProgress {
  /** Updates done. */
  readonly step: number;
  /** Epochs whose validation is done. */
  readonly validated: number;
  readonly best: { readonly epoch: number; readonly score: number; readonly loss: number } | null;
  readonly curve: TrainingSummary['curve'];
  /** What gradients in float16 were last multiplied by. */
  readonly scale: LossScale;
  /** Sum of losses and updates since the last point of the curve, and of each loss over the updates that had it. */
  readonly open: {
    readonly loss: number;
    readonly steps: number;
    readonly terms?: Readonly<Record<string, { readonly loss: number; readonly steps: number }>>;
  };
  readonly tokens: number;
  readonly seconds: number;
}

export const freshProgress: TrainingProgress = {
  step: 0,
  validated: 0,
  best: null,
  curve: [],
  scale: unscaled,
  open: { loss: 0, steps: 0 },
  tokens: 0,
  seconds: 0,
};

const initialData = (graph: Graph, { name, dims, auxiliary, start }: StepParameter, seed: number): Float32Array => {
  const tensor = graph.weights.get(name);
  if (tensor !== undefined) return float32Of(tensor);
  if (!auxiliary) throw new Error(`the model has no weight '${name}'`);
  return float32Of(initialize(seed, name, dims, start ?? { kind: 'xavier' }));
};

/** Memory with room for weight, gradient and two moments of every parameter. */
export const trainingMemory = (parameters: readonly StepParameter[]): KernelMemory => {
  const lengths = parameters.map(({ dims }) => elementCount(dims));
  return new KernelMemory(bytesFor([...lengths, ...lengths, ...lengths, ...lengths]));
};

export interface TrainedFrom {
  readonly graph: Graph;
  /** What training left of these parameters so far. */
  readonly before: readonly Trained[];
  readonly seed: number;
}

/**
 * Arrays for every parameter of a step, in `memory`: what training left of them, else filled from the model; parameters
 * of losses are drawn.
 */
export const trainedArrays = (
  { graph, before, seed }: TrainedFrom,
  parameters: readonly StepParameter[],
  memory: Pick<KernelMemory, 'floats'>,
): readonly Trained[] =>
  parameters.map((parameter) => {
    const { name, dims, auxiliary } = parameter;
    const length = elementCount(dims);
    const known = before.find((one) => one.name === name);
    const data = memory.floats(length);
    const moments = { first: memory.floats(length), second: memory.floats(length) };
    data.set(known?.data ?? initialData(graph, parameter, seed));
    if (known !== undefined) {
      moments.first.set(known.moments.first);
      moments.second.set(known.moments.second);
    }
    return { name, dims, auxiliary, data, moments, best: known?.best ?? new Float32Array(auxiliary ? 0 : length) };
  });

/** The model with copies of other arrays behind its trained weights. */
export const withWeights = (model: Model, trained: readonly Trained[], pick: (one: Trained) => Float32Array): Model => {
  const weights = new Map(model.graph.weights);
  for (const one of trained) {
    if (!one.auxiliary) weights.set(one.name, tensorOf('float32', one.dims, Float32Array.from(pick(one))));
  }
  return { ...model, graph: { ...model.graph, weights } };
};

/** What a hook sees: what only losses have where it is named. */
export const weightArrays = (
  trained: readonly (Pick<Trained, 'name' | 'auxiliary'> & { readonly data: Float32Array })[],
  { sees }: Pick<WeightHook, 'sees'>,
): WeightArrays => {
  const named = new Set(sees);
  const shown = trained.filter(({ name, auxiliary }) => (sees === undefined ? !auxiliary : named.has(name)));
  return new Map(shown.map(({ name, data }) => [name, data]));
};

/** The score on validation texts when they were last asked, for who watches. */
export const lastValidation = ({ curve }: TrainingProgress, task: DatasetTask): Pick<Progress, 'validation'> => {
  const score = curve.findLast((point) => point.score !== undefined)?.score;
  return score === undefined ? {} : { validation: { metric: dataTask(task).metric.name, score } };
};

const schema = 'decant.training/1';

/** Everything of a training that moves, but for its progress. */
interface Arrays {
  readonly trained: readonly Trained[];
  /** What its hook knows. */
  readonly state?: HookState | undefined;
}

const arraysOf = ({ trained, state = {} }: Arrays, withBest: boolean): readonly HookState[string][] => [
  ...trained.flatMap(({ data, moments, best }) => [
    ...[data, moments.first, moments.second],
    ...(withBest ? [best] : []),
  ]),
  ...Object.values(state),
];

const bytesOf = (array: HookState[string]): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const namesOf = ({ trained, state = {} }: Arrays): readonly string[] => [
  ...trained.map(({ name }) => name),
  ...Object.keys(state),
];

/** A checkpoint: progress as JSON and the arrays end to end. */
export const snapshot = (
  progress: TrainingProgress,
  all: Arrays,
): { readonly meta: Json; readonly data: readonly Uint8Array[] } => ({
  meta: { schema, names: namesOf(all), progress: JSON.parse(JSON.stringify(progress)) },
  data: arraysOf(all, progress.best !== null).map(bytesOf),
});

const isSnapshotMeta = (meta: Json): meta is { names: readonly string[]; progress: { readonly [key: string]: Json } } =>
  typeof meta === 'object' && meta !== null && 'schema' in meta && meta.schema === schema;

/** The progress that a checkpoint holds; undefined where it is none of training. */
export const savedProgress = (meta: Json): TrainingProgress | undefined =>
  isSnapshotMeta(meta) ? { ...freshProgress, ...withFormerScores(meta.progress) } : undefined;

/** Fills the arrays from a checkpoint; false where they are not the ones that were saved. */
export const restore = (saved: { readonly meta: Json; readonly data: Uint8Array }, all: Arrays): boolean => {
  const progress = savedProgress(saved.meta);
  if (progress === undefined || !isSnapshotMeta(saved.meta)) return false;
  const { names } = saved.meta;
  const arrays = arraysOf(all, progress.best !== null);
  const size = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const own = namesOf(all);
  const same = names.length === own.length && own.every((name, i) => name === names[i]);
  if (!same || size !== saved.data.length) return false;
  let at = 0;
  for (const array of arrays) {
    bytesOf(array).set(saved.data.subarray(at, at + array.byteLength));
    at += array.byteLength;
  }
  return true;
};
