import { join } from 'node:path';
import type { Turn } from '../../data/measurements.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { writeGraph } from '../../graph/codec/index.ts';
import type { Value } from '../../graph/graph.ts';
import { meanOf } from '../../ground/metrics/metric.ts';
import { middle } from '../../ground/middle.ts';
import type { Rates } from '../../models/inspection.ts';
import { rateNames } from '../../models/work.ts';
import { type Fixed, numbers, tensor } from './kernel.ts';
import { measureLoading } from './loading.ts';
import type { Subject } from './orders.ts';
import { timeRounds } from './rounds.ts';
import type { Measuring } from './work.ts';

/** A fixed graph, and how much of something one run of it does. */
interface RateKernel extends Fixed {
  readonly amount: number;
}

/** Rows, inner and outer width of a product that is large enough to run as fast as products do. */
const [ROWS, INNER, OUTER] = [512, 1024, 1024];
/** Inner width of the matrix that one row meets, and the most bytes of it: more than processors keep near themselves. */
const [ROW, MOST_BYTES] = [1024, 64e6];
/** What an activation is computed of: it stays near the processor, as in a model. */
const [ACTIVATED, WIDTH] = [256, 1024];
const FLOAT = 4;

const product = (rows: number, inner: number, outer: number) => (builder: GraphBuilder) => {
  const x = builder.input('x', 'float32', [rows, inner]);
  return builder.op('MatMul', [x, builder.weight('matrix', tensor(inner, outer))]); // (rows, outer)
};

/** Every element is computed, and one number is given back. */
const activation = (builder: GraphBuilder): Value => {
  const x = builder.input('x', 'float32', [ACTIVATED, WIDTH]);
  return builder.op('ReduceMax', [builder.op('Gelu', [x])], { keepdims: 0 });
};

/** The graphs that a machine's rates are read off; the matrix that one row meets has about so many bytes. */
const writeRateKernels = async (folder: string, bytes: number): Promise<Readonly<Record<keyof Rates, RateKernel>>> => {
  const outer = Math.max(1, Math.round(Math.min(bytes, MOST_BYTES) / (FLOAT * ROW)));
  const made = async (
    name: string,
    emit: (builder: GraphBuilder) => Value,
    dims: readonly number[],
    amount: number,
  ) => {
    const builder = new GraphBuilder(name);
    const file = join(folder, `${name}.onnx`);
    await writeGraph(file, builder.freeze([emit(builder)]));
    const data = numbers(dims.reduce((size, dim) => size * dim, 1));
    return { name, file, amount, feeds: { x: { dtype: 'float32', dims, data } } } as const;
  };
  return {
    flops: await made('product', product(ROWS, INNER, OUTER), [ROWS, INNER], 2 * ROWS * INNER * OUTER),
    bytes: await made('row', product(1, ROW, outer), [1, ROW], FLOAT * ROW * outer),
    elements: await made('activation', activation, [ACTIVATED, WIDTH], ACTIVATED * WIDTH),
  };
};

/**
 * Milliseconds of a run in which the process had the processor: of the mean run, since the share that a turn waited is one of
 * all of its runs, and on a busy machine the middle one may not have waited at all.
 */
export const computing = ({ ms, waited }: Turn): number => meanOf(ms) * (1 - waited);

/** What is measured of models beside the machine's rates. */
export interface BesideRates {
  readonly rates: Rates;
  /** By model: milliseconds of computing, and memory of a process that runs it beyond that of one that runs a single node. */
  readonly models: Readonly<Record<string, { readonly ms: number; readonly bytes: number }>>;
  /** Memory of a process that runs a single node. */
  readonly alone: number;
}

interface Options {
  readonly threads: number;
  readonly rounds: number;
  readonly processes: number;
  readonly loads: number;
  /** Bytes of the matrices of the models. */
  readonly bytes: number;
}

/** Times models, each on the first of its feeds, in the same rounds as the graphs that rates are read off. */
export const timeBesideRates = async (
  models: ReadonlyMap<string, Subject>,
  { bytes, ...options }: Options,
  { folder, runtime }: { readonly folder: string; readonly runtime: Fixed },
  ctx: Measuring,
): Promise<BesideRates> => {
  const kernels = await writeRateKernels(folder, bytes);
  const subjects = rateNames.map((name): readonly [string, Subject] => [
    `the rate of ${name}`,
    { ...kernels[name], feeds: [kernels[name].feeds] },
  ]);
  const kernel: Subject = { ...runtime, feeds: [runtime.feeds] };
  const all = new Map([...models, ...subjects]);
  const [timed] = await timeRounds([{ on: {}, models: all }], kernel, options, ctx);
  const { loading, runtime: alone } = await measureLoading({ on: {}, models }, runtime, options, ctx);
  const msOf = (id: string): number => middle((timed?.models[id]?.[0] ?? []).map(computing));
  const rate = (name: keyof Rates): number => (1000 * kernels[name].amount) / msOf(`the rate of ${name}`);
  return {
    rates: { flops: rate('flops'), bytes: rate('bytes'), elements: rate('elements') },
    alone: middle(alone.peakBytes),
    models: Object.fromEntries(
      [...models.keys()].map((id) => [
        id,
        { ms: msOf(id), bytes: middle(loading[id]?.peakBytes ?? []) - middle(alone.peakBytes) },
      ]),
    ),
  };
};
