import type { Engine, Program } from '../../engine/engine.ts';
import { heldFor, passesOf } from '../../engine/layerwise/passes.ts';
import type { Seen } from '../../engine/observe/index.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { rowsOf } from '../../graph/quantize/grid.ts';
import { type Group, productGroups, type Scales } from '../../graph/quantize/smooth.ts';
import { type Limit, quantizeMatrix, widenedMatrix } from '../../graph/quantize/weights.ts';
import { float32Of, newArray, tensorOf } from '../../graph/tensor.ts';
import { joinedFloats } from '../../ground/joined.ts';
import { type Activation, keptBytes, raise } from './activations.ts';
import type { RoundInputs } from './rounded-inputs.ts';
import { type Scaled, scalesOf } from './scales.ts';

/** How much of the unevenness of an activation goes over to the weights: none, or |x|^alpha / |w|^(1 - alpha). */
const ALPHAS = [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 1] as const;

/** Scales have to pay: what is won on texts that were seen may be lost on others. */
const WORTHWHILE = 0.9;

/** How often the median an outlier is, and how many of them are named. */
const [FAR, NAMED] = [10, 8];

/** Rows that are multiplied at once. */
const ROWS = 512;

/** Below this nothing is scaled by a channel's own size: it says nothing. */
const SMALLEST = 1e-5;

/** A product of an activation with weights, in numbers of the host. */
interface Weight {
  readonly name: string;
  /** (outputs, inputs). */
  readonly data: Float32Array;
  readonly outputs: number;
}

/** What a group of products reads, text by text, and multiplies by. */
interface Subject extends Activation {
  readonly weights: readonly Weight[];
}

/** Of one group. */
export interface Smoothing {
  readonly input: Value;
  /** 0 where nothing is scaled. */
  readonly alpha: number;
  /** Squared error of the products in 8 bits, in parts of that without scales. */
  readonly error: number;
  /** Numbers of a row whose size is far above those of most, the largest first: they leave few steps to the others. */
  readonly outliers: readonly number[];
}

/** sum (q w' - y)^2 for q (rows, inputs), w (outputs, inputs) and y (rows, outputs). */
const errorGraph = (): Graph => {
  const builder = new GraphBuilder('error');
  const [q, w, y] = [
    builder.input('q', 'float32', [symbol('rows'), symbol('inputs')]),
    builder.input('w', 'float32', [symbol('outputs'), symbol('inputs')]),
    builder.input('y', 'float32', [symbol('rows'), symbol('outputs')]),
  ];
  const product = builder.op('Gemm', [q, w], { transB: 1 });
  const error = builder.op('Sub', [product, y]);
  return builder.freeze([builder.op('ReduceSumSquare', [error], { keepdims: 0 }, 'error'), product]);
};

const tensor = (data: Float32Array, dims: readonly number[]) => ({ dtype: 'float32', dims, data }) as const;

/** Asks the runtime for products and their errors. */
class Errors {
  readonly #program: Program;
  readonly #product: string;

  private constructor(program: Program, product: string) {
    this.#program = program;
    this.#product = product;
  }

  static async open(engine: Engine, threads: number): Promise<Errors> {
    const graph = errorGraph();
    return new Errors(await engine.compile(graph, { threads, memory: 'pooled' }), graph.outputs[1] ?? '');
  }

  async of(rows: number, width: number, q: Float32Array, weight: Weight, y?: Float32Array) {
    const { data, outputs } = weight;
    const made = await this.#program.run({
      q: tensor(q, [rows, width]),
      w: tensor(data, [outputs, width]),
      y: tensor(y ?? new Float32Array(rows * outputs), [rows, outputs]),
    });
    const [error, product] = [made.error?.data, made[this.#product]?.data];
    if (!(error instanceof Float32Array) || !(product instanceof Float32Array)) throw new Error('floats come back');
    return { error: error[0] ?? 0, product };
  }

  release(): Promise<void> {
    return this.#program.release();
  }
}

/** A matrix that was multiplied by scales, as it is stored: in 8 bits with a step an output. */
const roundedWeight = ({ name, data, outputs }: Weight, scales: Float32Array, limit: Limit): Weight => {
  const width = scales.length;
  const scaled = newArray('float32', data.length);
  for (let i = 0; i < data.length; i++) scaled[i] = (data[i] as number) * (scales[i % width] as number);
  const near = quantizeMatrix(name, tensorOf('float32', [outputs, width], scaled), 'rows', limit);
  return { name, data: float32Of(widenedMatrix(near, 'rows')), outputs };
};

/** Largest magnitude of each number of rows of a width. */
const peaksOf = (rows: readonly Float32Array[], width: number): Float32Array => {
  const peaks = new Float32Array(width);
  for (const data of rows) raise(peaks, data);
  return peaks;
};

/** Channels far larger than most, the largest first. */
export const outliersIn = (sizes: Float32Array | Float64Array): readonly number[] => {
  const median = sizes.toSorted()[Math.floor(sizes.length / 2)] as number;
  const far = Array.from(sizes.keys()).filter((i) => (sizes[i] as number) > FAR * median);
  return far.sort((a, b) => (sizes[b] as number) - (sizes[a] as number)).slice(0, NAMED);
};

/** What 8 bits make of both sides of a product. */
interface Rounding {
  /** Of activations as the model runs. */
  readonly round: RoundInputs;
  /** Of weights. */
  readonly limit: Limit;
}

/** Two halves of texts: scales and ranges are made of the former, and judged by the latter. One text is both. */
const halvesOf = (texts: readonly Seen[]): readonly [readonly Seen[], readonly Seen[]] =>
  texts.length < 2 ? [texts, texts] : [texts.filter((_, i) => i % 2 === 0), texts.filter((_, i) => i % 2 === 1)];

/** Texts that are multiplied together, and what their products are in floats. */
interface Judged {
  readonly texts: readonly Seen[];
  readonly rows: number;
  /** By weight, (rows, outputs). */
  readonly exact: readonly Float32Array[];
}

/** Texts in stretches of about so many rows that what is multiplied at once takes little memory. */
const shortOf = (texts: readonly Seen[]): readonly (readonly Seen[])[] => {
  const stretches: Seen[][] = [];
  let rows = ROWS;
  for (const text of texts) {
    if (rows >= ROWS) stretches.push([]);
    rows = rows >= ROWS ? text.rows : rows + text.rows;
    stretches.at(-1)?.push(text);
  }
  return stretches;
};

/** What products err by in 8 bits when their inputs are divided by scales. */
const errorsOf = async (
  errors: Errors,
  { width, weights }: Subject,
  [seen, judged]: ReturnType<typeof halvesOf>,
  { round, limit }: Rounding,
): Promise<(scales: Float32Array) => Promise<number>> => {
  const parts: Judged[] = [];
  for (const texts of shortOf(judged)) {
    const x = joinedFloats(texts.map(({ data }) => data));
    const rows = x.length / width;
    const exact: Float32Array[] = [];
    for (const weight of weights) exact.push((await errors.of(rows, width, x, weight)).product);
    parts.push({ texts, rows, exact });
  }
  return async (scales) => {
    const rounded = round(seen, scales);
    const near = weights.map((weight) => roundedWeight(weight, scales, limit));
    let sum = 0;
    for (const { texts, rows, exact } of parts) {
      const x = rounded(texts);
      for (const [i, weight] of near.entries()) sum += (await errors.of(rows, width, x, weight, exact[i])).error;
    }
    return sum;
  };
};

/**
 * The alpha by which the products of a group err least on texts that its scales were not made of: channels whose peaks are
 * brought to one level by texts that were seen go beyond it on others.
 */
const bestFor = async (
  errors: Errors,
  subject: Subject,
  rounding: Rounding,
): Promise<Scaled & { readonly plain: number }> => {
  const { width, texts, weights, peaks } = subject;
  const halves = halvesOf(texts);
  const errorOf = await errorsOf(errors, subject, halves, rounding);
  const ones = new Float32Array(width).fill(1);
  const plain = await errorOf(ones);
  const byWeight = peaksOf(
    weights.map(({ data }) => data),
    width,
  );
  const seen = peaksOf(
    halves[0].map(({ data }) => data),
    width,
  );
  let best = { alpha: 0, error: plain };
  for (const alpha of ALPHAS) {
    const error = await errorOf(scalesOf(seen, byWeight, alpha, SMALLEST));
    if (error < best.error) best = { alpha, error };
  }
  if (best.error >= WORTHWHILE * plain) return { alpha: 0, scales: ones, error: plain, plain };
  // Once chosen, an alpha is worth the peaks of all texts.
  return { ...best, scales: scalesOf(peaks, byWeight, best.alpha, SMALLEST), plain };
};

const weightsOf = (graph: Graph, { products }: Group): readonly Weight[] =>
  products.flatMap(({ weight, inner }) => {
    const own = graph.weights.get(weight);
    if (own === undefined) return [];
    const { data, rows } = rowsOf(own, inner === 0 ? 'turned' : 'as it is');
    return [{ name: weight, data, outputs: rows }];
  });

/** What scales are searched with. */
export interface SmoothingRequest extends Rounding {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly threads: number;
  readonly signal: AbortSignal;
  /** Activations of some values that products read. */
  activationsOf(inputs: readonly Value[]): Promise<ReadonlyMap<Value, Activation>>;
  onGroup(done: number, total: number): void;
}

/**
 * Scales for each activation by which its products err least in 8 bits, on what texts made of it; none where plain rounding
 * wins.
 *
 * Xiao et al. 2022, SmoothQuant, arXiv 2211.10438, with an alpha for each group of products.
 */
export const searchScales = async (
  request: SmoothingRequest,
): Promise<{ readonly scales: Scales; readonly smoothings: readonly Smoothing[] }> => {
  const { graph, engine, threads, signal, onGroup } = request;
  const groups = productGroups(graph);
  const scales = new Map<Value, Float32Array>();
  const smoothings: Smoothing[] = [];
  const errors = await Errors.open(engine, threads);
  try {
    for (const pass of passesOf(groups, keptBytes, heldFor(graph))) {
      const activations = await request.activationsOf(pass.map(({ input }) => input));
      for (const group of pass) {
        signal.throwIfAborted();
        const { input } = group;
        const activation = activations.get(input);
        if (activation === undefined) throw new Error(`'${input}' was not watched`);
        const best = await bestFor(errors, { ...activation, weights: weightsOf(graph, group) }, request);
        if (best.alpha > 0) scales.set(input, best.scales);
        smoothings.push({
          input,
          alpha: best.alpha,
          error: best.plain === 0 ? 1 : best.error / best.plain,
          outliers: outliersIn(activation.peaks),
        });
        onGroup(smoothings.length, groups.length);
      }
    }
  } finally {
    await errors.release();
  }
  return { scales, smoothings };
};
