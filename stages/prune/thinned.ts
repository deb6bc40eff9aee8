import type { Encoded } from '../../engine/encoded.ts';
import type { Program } from '../../engine/engine.ts';
import { corrected } from '../../engine/layerwise/corrections.ts';
import { damped, inOrder } from '../../engine/layerwise/factor.ts';
import { centred, type Gram, gramBytes, gramsOf, meansOf } from '../../engine/layerwise/grams.ts';
import { heldFor, passesOf } from '../../engine/layerwise/passes.ts';
import { openRefiner, refined } from '../../engine/layerwise/refine.ts';
import type { Watching } from '../../engine/observe/index.ts';
import type { Value } from '../../graph/graph.ts';
import type { Tensor } from '../../graph/tensor.ts';
import { forEachPlace, inRows } from './plane.ts';
import type { Product } from './products.ts';
import type { Asked, Walker, Weight } from './saliencies/saliency.ts';

/** Share of the mean of the diagonal that is added to it. */
const DAMPING = 0.01;

/** A product with its weight as it was, and with zeros where those are chosen already. */
export interface Thinning {
  readonly product: Product;
  readonly weight: Weight;
  /** In the weight's own order; changes. */
  readonly data: Float32Array;
}

interface Tools {
  /** Chooses zeros as it goes; left out where they are chosen. */
  readonly walker: Walker | undefined;
  /** Moves what stays; left out where nothing moves. */
  readonly refiner: Program | undefined;
}

interface Request {
  readonly watching: Watching;
  readonly examples: readonly Encoded[];
  readonly asked: Asked;
  readonly tools: Tools;
  onText(done: number, total: number): void;
  onMatrix(done: number, total: number): void;
}

/** How the inputs of one product go together, wherever it stands. */
const gramOf = (grams: ReadonlyMap<Value, Gram>, { inputs }: Product): Gram => {
  const [first, ...others] = inputs.map((input) => {
    const gram = grams.get(input);
    if (gram === undefined) throw new Error(`'${input}' was not watched`);
    return gram;
  });
  if (first === undefined) throw new Error('a product reads something');
  if (others.length === 0) return first;
  const sum = { ...first, products: first.products.slice(), sums: first.sums.slice() };
  for (const { rows, products, sums } of others) {
    sum.rows += rows;
    for (const [i, x] of products.entries()) sum.products[i] = (sum.products[i] as number) + x;
    for (const [i, x] of sums.entries()) sum.sums[i] = (sum.sums[i] as number) + x;
  }
  return sum;
};

/** What products of one pass share: how inputs go together, about their mean where a bias makes up for that. */
class Correlations {
  readonly #grams: ReadonlyMap<Value, Gram>;
  #known: { readonly key: string; readonly products: Float64Array; damped: Float32Array | undefined } | undefined;

  constructor(grams: ReadonlyMap<Value, Gram>) {
    this.#grams = grams;
  }

  of(product: Product): { readonly means: Float64Array; readonly products: Float64Array; damped(): Float32Array } {
    const gram = gramOf(this.#grams, product);
    const key = `${product.inputs.join(' ')} ${product.bias === undefined}`;
    if (this.#known?.key !== key) {
      this.#known = { key, products: product.bias === undefined ? gram.products : centred(gram), damped: undefined };
    }
    const known = this.#known;
    return {
      means: meansOf(gram),
      products: known.products,
      damped: () => {
        known.damped ??= Float32Array.from(damped(known.products, product.width, inOrder(product.width), DAMPING));
        return known.damped;
      },
    };
  }
}

/** One product: its zeros are chosen, what stays makes up for them, and the bias for what the mean of the product moved by. */
const thin = async (
  { product, weight, data }: Thinning,
  correlations: Correlations,
  { asked, tools, watching }: Request,
): Promise<{ readonly rows: Float32Array; readonly bias: ((before: Tensor) => Tensor) | undefined }> => {
  const { rows, width } = weight.plane;
  const { means, products, damped: sum } = correlations.of(product);
  const dense = inRows(weight.plane, weight.data);
  const start =
    tools.walker === undefined
      ? inRows(weight.plane, data)
      : await tools.walker.thin({ rows, width, data: dense, products }, asked, watching.signal);
  const near =
    tools.refiner === undefined
      ? start
      : await refined(tools.refiner, { rows, width, dense, start, products: sum() }, watching.signal);
  const averaged = { means, width };
  const bias = (before: Tensor) => corrected(before, { ...averaged, data: dense }, { ...averaged, data: near });
  return { rows: near, bias: product.bias === undefined ? undefined : bias };
};

/** Products are thinned pass by pass, as much of what they read is held at once as may be: gives biases that changed. */
const thinPass = async (
  pass: readonly Thinning[],
  request: Request,
  biases: Map<Value, Tensor>,
  onMatrix: () => void,
): Promise<void> => {
  const { watching, examples, onText } = request;
  const inputs = new Set(pass.flatMap(({ product }) => product.inputs));
  const correlations = new Correlations(await gramsOf(watching, [...inputs], examples, onText));
  for (const thinning of pass) {
    const { product, weight, data } = thinning;
    const { rows, bias } = await thin(thinning, correlations, request);
    forEachPlace(weight.plane, (place, row, column) => {
      data[place] = rows[row * weight.plane.width + column] as number;
    });
    const before = product.bias === undefined ? undefined : watching.graph.weights.get(product.bias);
    if (before !== undefined && product.bias !== undefined && bias !== undefined)
      biases.set(product.bias, bias(before));
    onMatrix();
  }
};

/** Thins products by what they read; writes their data, and gives the biases behind them. */
export const thinProducts = async (
  thinnings: readonly Thinning[],
  request: Request,
): Promise<ReadonlyMap<Value, Tensor>> => {
  const biases = new Map<Value, Tensor>();
  const items = thinnings.map((thinning) => ({ thinning, input: thinning.product.inputs[0] }));
  const bytesOf = ({ thinning: { product } }: (typeof items)[number]) => product.inputs.length * gramBytes(product);
  let done = 0;
  for (const pass of passesOf(items, bytesOf, heldFor(request.watching.graph))) {
    const own = pass.map(({ thinning }) => thinning);
    await thinPass(own, request, biases, () => request.onMatrix(++done, thinnings.length));
  }
  return biases;
};

/** Opens what is asked for, and releases it at the end. */
export const withTools = async <T>(
  opening: { readonly walker: Promise<Walker> | undefined; readonly refines: boolean },
  { engine, threads }: Watching,
  work: (tools: Tools) => Promise<T>,
): Promise<T> => {
  const walker = await opening.walker;
  const refiner = opening.refines ? await openRefiner(engine, threads) : undefined;
  try {
    return await work({ walker, refiner });
  } finally {
    await walker?.release();
    await refiner?.release();
  }
};
