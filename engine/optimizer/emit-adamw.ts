import type { GraphBuilder } from '../../graph/builder.ts';
import { type Value, value } from '../../graph/graph.ts';
import type { AdamWOptions } from '../adamw.ts';
import type { Feeds, HostTensor } from '../engine.ts';
import { emitJoined, emitParts, type Slab } from './slabs.ts';

/** What an emitted update does beside what its step's graph computes. */
export interface UpdateSettings extends AdamWOptions {
  readonly weightDecay: number;
  /** Largest global norm of the gradient. */
  readonly clip: number;
  /** Factor of the learning rate by parameter; 1 where it has none. */
  readonly factors: ReadonlyMap<Value, number>;
  /** Parameters that are multiplied by a mask after every update. */
  readonly held: ReadonlySet<string>;
  /** Parameters whose gradients stay to be looked at. */
  readonly watched?: ReadonlySet<string>;
  /** Whether gradients are those of a multiple of the loss. */
  readonly scaled?: boolean;
}

/** The moments of a slab, by the names of inputs. */
export const momentsOf = ({ key }: Slab): { readonly first: Value; readonly second: Value } => ({
  first: value(`update/first/${key}`),
  second: value(`update/second/${key}`),
});

export const maskOf = (name: Value): Value => value(`update/held/${name}`);

const EPSILON = value('update/epsilon');
/** 1 / the scale of gradients. */
const UNSCALE = value('update/unscale');

/** Names of the rates: those of parameters with equal factors are one, and so is what they keep of a weight that decays. */
const ratesOf = ({ factors }: UpdateSettings) => {
  const all = [...new Set([1, ...factors.values()])];
  const at = (factor: number): number => all.indexOf(factor);
  return {
    all,
    rate: (factor: number): Value => value(`update/rate/${at(factor)}`),
    kept: (factor: number): Value => value(`update/kept/${at(factor)}`),
  };
};

const scalar = (number: number): HostTensor => ({ dtype: 'float32', dims: [], data: Float32Array.of(number) });

/** What changes from step to step (counted from 1), for the inputs that a graph has. Corrections are folded into rate and epsilon. */
export const scalarFeeds = (
  inputs: ReadonlySet<string>,
  settings: UpdateSettings,
  { rate, step, factor = 1 }: { readonly rate: number; readonly step: number; readonly factor?: number },
): Feeds => {
  const { beta1, beta2, epsilon, weightDecay } = settings;
  const root = Math.sqrt(1 - beta2 ** step);
  const names = ratesOf(settings);
  const feeds = names.all.flatMap((own): readonly (readonly [string, HostTensor])[] => [
    [names.rate(own), scalar((rate * own * root) / (1 - beta1 ** step))],
    [names.kept(own), scalar(1 - rate * own * weightDecay)],
  ]);
  const all = [...feeds, [EPSILON, scalar(epsilon * root)], [UNSCALE, scalar(1 / factor)]] as const;
  return Object.fromEntries(all.filter(([name]) => inputs.has(name)));
};

/** Scalar inputs, each made when it is first asked for. */
const scalarInputs = (builder: GraphBuilder) => {
  const made = new Set<Value>();
  return (name: Value): Value => {
    if (!made.has(name)) builder.input(name, 'float32', []);
    made.add(name);
    return name;
  };
};

/** The sum of squares row by row: no device then adds up a large matrix in one place. (rows) */
const squaresOf = (builder: GraphBuilder, gradient: Value, rank: number): Value => {
  if (rank === 0) {
    return builder.op('Reshape', [builder.op('Mul', [gradient, gradient]), builder.ints([1])]);
  }
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return rank === 1
    ? builder.op('ReduceSumSquare', [gradient, builder.ints([0])], { keepdims: 1 })
    : builder.op('ReduceSumSquare', [gradient, builder.ints(axes.slice(1))], { keepdims: 0 });
};

/** Gradients by slab. */
export type Joined = ReadonlyMap<Slab, Value>;

export const emitJoinedGradients = (
  builder: GraphBuilder,
  slabs: readonly Slab[],
  gradients: ReadonlyMap<Value, Value>,
): Joined => {
  const gradientOf = (name: Value): Value => {
    const gradient = gradients.get(name);
    if (gradient === undefined) throw new Error(`no gradient for '${name}'`);
    return gradient;
  };
  return new Map(slabs.map((slab) => [slab, emitJoined(builder, slab, gradientOf)]));
};

/** Length of all gradients as one vector, and what undoes their scale, where they have one. */
export interface Length {
  readonly norm: Value;
  readonly unscale: Value | undefined;
}

export const emitNorm = (builder: GraphBuilder, gradients: Joined, { scaled }: UpdateSettings): Length => {
  const squares = Array.from(gradients, ([{ dims }, gradient]) => squaresOf(builder, gradient, dims.length));
  const all = builder.op('Concat', squares, { axis: 0 });
  const sum = builder.op('ReduceSum', [all, builder.ints([0])], { keepdims: 0 });
  if (!scaled) return { norm: builder.op('Sqrt', [sum], {}, 'update/norm'), unscale: undefined };
  const unscale = builder.input(UNSCALE, 'float32', []);
  return { norm: builder.op('Mul', [builder.op('Sqrt', [sum]), unscale], {}, 'update/norm'), unscale };
};

/** limit / max(norm, limit), which is 1 up to the limit (Pascanu et al. 2013, arXiv 1211.5063). */
const emitClipping = (builder: GraphBuilder, norm: Value, limit: number): Value | undefined => {
  if (!Number.isFinite(limit)) return undefined;
  const bound = builder.scalar('float32', limit);
  return builder.op('Div', [bound, builder.op('Max', [norm, bound])]);
};

/** (1 - beta), as the kernels round it. */
const rest = (beta: number): number => 1 - Math.fround(beta);

/** Inputs that hold what an update renews, and the outputs that take their places. */
export type Renewed = ReadonlyMap<Value, Value>;

/**
 * One step of AdamW over every parameter, the equations of engine/adamw.ts as nodes. The weights are inputs of the builder
 * already; moments, masks and what changes from step to step become inputs.
 */
export const emitAdamW = (
  builder: GraphBuilder,
  gradients: Joined,
  { norm, unscale }: Length,
  settings: UpdateSettings,
): Renewed => {
  const float = (number: number): Value => builder.scalar('float32', number);
  const times = (a: Value, b: Value): Value => builder.op('Mul', [a, b]);
  const plus = (a: Value, b: Value): Value => builder.op('Add', [a, b]);
  const { beta1, beta2 } = settings;
  const factors = [emitClipping(builder, norm, settings.clip), unscale].filter((factor) => factor !== undefined);
  const scaled = (number: number): Value => factors.reduce((product, factor) => times(factor, product), float(number));
  // Both are the same for all parameters: (1 - b1) g s = g p, and (1 - b2) (g s)^2 = (g q)^2.
  const [p, q] = [scaled(rest(beta1)), scaled(Math.sqrt(rest(beta2)))];
  const input = scalarInputs(builder);
  const names = ratesOf(settings);
  const renewed = new Map<Value, Value>();
  for (const [slab, g] of gradients) {
    const { dims, factor } = slab;
    const moments = momentsOf(slab);
    const m = plus(times(builder.input(moments.first, 'float32', dims), float(beta1)), times(g, p));
    const root = times(g, q);
    const v = plus(times(builder.input(moments.second, 'float32', dims), float(beta2)), times(root, root));
    const length = plus(builder.op('Sqrt', [v]), input(EPSILON));
    const move = builder.op('Div', [times(m, input(names.rate(factor))), length]);
    const w = emitJoined(builder, slab, (name) => name);
    const kept = slab.decays ? times(w, input(names.kept(factor))) : w;
    renewed.set(moments.first, m).set(moments.second, v);
    for (const [{ name, dims: own }, moved] of emitParts(builder, slab, builder.op('Sub', [kept, move]))) {
      const held = settings.held.has(name) ? times(moved, builder.input(maskOf(name), 'float32', own)) : moved;
      renewed.set(name, held);
    }
  }
  return renewed;
};
