import type { Engine, Program } from '../../engine/engine.ts';
import { centred, type Gram, gramBytes, gramsOf } from '../../engine/layerwise/grams.ts';
import { heldFor, passesOf } from '../../engine/layerwise/passes.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import type { Value } from '../../graph/graph.ts';
import { type Choices, isBlocks } from '../../graph/quantize/choose.ts';
import { type Grid, type Rows, rowsOf, widened } from '../../graph/quantize/grid.ts';
import { nearest } from '../../graph/quantize/nearest.ts';
import { type Group, productGroups, type Scales } from '../../graph/quantize/smooth.ts';
import type { BlockRequest } from './blocks.ts';
import { type Scaled, scalesOf } from './scales.ts';
import { outliersIn, type Smoothing } from './smoothing.ts';

/** How much of the unevenness of inputs goes over to the weights: size(x)^alpha / size(w)^(1 - alpha). */
const ALPHAS = [0.1, 0.2, 0.3, 0.4, 0.5] as const;

/** Sizes below this say nothing of a channel. */
const SMALLEST = 1e-4;

/** sum of e h e' for errors e (outputs, inputs) of weights and sums h of products of inputs. */
const harmProgram = (engine: Engine, threads: number): Promise<Program> => {
  const builder = new GraphBuilder('harm');
  const e = builder.input('e', 'float32', [symbol('outputs'), symbol('inputs')]);
  const h = builder.input('h', 'float32', [symbol('inputs'), symbol('inputs')]);
  const product = builder.op('Mul', [builder.op('MatMul', [e, h]), e]);
  return engine.compile(builder.freeze([builder.op('ReduceSum', [product], { keepdims: 0 }, 'harm')]), {
    ...{ threads, memory: 'pooled' },
  });
};

/** A group of products in blocks, and the numbers of its weights. */
interface Subject {
  readonly width: number;
  readonly weights: readonly { readonly rows: Rows; readonly grid: Grid }[];
  readonly gram: Gram;
}

/** Root of the mean square of each input. */
const sizesOfInputs = ({ products, rows }: Gram, width: number): Float64Array =>
  Float64Array.from({ length: width }, (_, i) => Math.sqrt((products[i * width + i] as number) / rows));

/** Mean magnitude of the weights of each input. */
const sizesOfWeights = ({ weights, width }: Subject): Float64Array => {
  const sizes = new Float64Array(width);
  for (const { rows } of weights) {
    for (let i = 0; i < rows.data.length; i++) {
      sizes[i % width] = (sizes[i % width] as number) + Math.abs(rows.data[i] as number);
    }
  }
  const outputs = weights.reduce((sum, { rows }) => sum + rows.rows, 0);
  return sizes.map((sum) => sum / outputs);
};

/** What weights err by when they are multiplied by scales, rounded, and divided again. */
const errorsOf = (
  { rows, grid }: Subject['weights'][number],
  squares: Float64Array,
  scales: Float32Array,
): Float32Array<ArrayBuffer> => {
  const { width } = rows;
  const importance = squares.map((square, i) => square / (scales[i] as number) ** 2);
  const data = rows.data.map((w, i) => w * (scales[i % width] as number));
  const scaled = { ...rows, data };
  const near = widened(scaled, grid, nearest(scaled, grid, { search: true, importance }));
  return Float32Array.from(near, (v, i) => ((data[i] as number) - v) / (scales[i % width] as number));
};

/** The scales by which the products of a group err least. */
const bestFor = async (program: Program, subject: Subject): Promise<Scaled & { readonly plain: number }> => {
  const { width, weights, gram } = subject;
  // A bias makes up for the mean error wherever there is one.
  const about = centred(gram);
  const h = { dtype: 'float32', dims: [width, width], data: Float32Array.from(about) } as const;
  const squares = Float64Array.from({ length: width }, (_, i) => about[i * width + i] as number);
  const errorOf = async (scales: Float32Array): Promise<number> => {
    let sum = 0;
    for (const weight of weights) {
      const e = { dtype: 'float32', dims: [weight.rows.rows, width], data: errorsOf(weight, squares, scales) } as const;
      sum += Number((await program.run({ e, h })).harm?.data[0] ?? Number.NaN);
    }
    return sum;
  };
  const ones = new Float32Array(width).fill(1);
  const plain = await errorOf(ones);
  const [inputs, own] = [sizesOfInputs(gram, width), sizesOfWeights(subject)];
  let best: Scaled = { alpha: 0, scales: ones, error: plain };
  for (const alpha of ALPHAS) {
    const scales = scalesOf(inputs, own, alpha, SMALLEST);
    const error = await errorOf(scales);
    if (error < best.error) best = { alpha, scales, error };
  }
  return { ...best, plain };
};

/** The weights of a group; none where one of them stays out of blocks. */
const weightsOf = ({ graph }: BlockRequest, choices: Choices, { products }: Group): Subject['weights'] => {
  const weights = products.flatMap(({ weight }) => {
    const [choice, tensor] = [choices.get(weight), graph.weights.get(weight)];
    if (tensor === undefined || choice === undefined || !isBlocks(choice)) return [];
    return [{ rows: rowsOf(tensor, choice.layout), grid: choice.grid }];
  });
  return weights.length === products.length ? weights : [];
};

/**
 * Scales for each input by which its products err least in blocks: by the exact error of what was rounded, on the products of
 * inputs that texts made of it.
 *
 * Lin et al. 2023, AWQ, arXiv 2306.00978, with the sizes of weights beside those of inputs.
 */
export const searchBlockScales = async (
  request: BlockRequest,
  choices: Choices,
): Promise<{ readonly scales: Scales; readonly smoothings: readonly Smoothing[] }> => {
  const { graph, engine, threads, signal, examples, onText, onMatrix } = request;
  const groups = productGroups(graph).filter((group) => weightsOf(request, choices, group).length > 0);
  const scales = new Map<Value, Float32Array>();
  const smoothings: Smoothing[] = [];
  const program = await harmProgram(engine, threads);
  try {
    for (const pass of passesOf(groups, gramBytes, heldFor(graph))) {
      const inputs = pass.map(({ input }) => input);
      const grams = await gramsOf(request, inputs, examples, onText);
      for (const group of pass) {
        signal.throwIfAborted();
        const gram = grams.get(group.input);
        if (gram === undefined) throw new Error(`'${group.input}' was not watched`);
        const best = await bestFor(program, { width: group.width, weights: weightsOf(request, choices, group), gram });
        if (best.alpha > 0) scales.set(group.input, best.scales);
        const error = best.plain === 0 ? 1 : best.error / best.plain;
        smoothings.push({
          ...{ input: group.input, alpha: best.alpha, error },
          outliers: outliersIn(sizesOfInputs(gram, group.width)),
        });
        onMatrix(smoothings.length, groups.length);
      }
    }
  } finally {
    await program.release();
  }
  return { scales, smoothings };
};
