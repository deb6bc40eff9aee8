import type { Encoded } from '../../engine/encoded.ts';
import type { Engine } from '../../engine/engine.ts';
import { type Correction, type Corrections, corrected, ownBias } from '../../engine/layerwise/corrections.ts';
import { centred, gramBytes, gramsOf, meansOf } from '../../engine/layerwise/grams.ts';
import { heldFor, passesOf } from '../../engine/layerwise/passes.ts';
import type { Watching } from '../../engine/observe/index.ts';
import type { Graph, Node, Value } from '../../graph/graph.ts';
import { finiteRows, type Packings } from '../../graph/quantize/blockwise.ts';
import { type BlockChoice, type Choices, isBlocks } from '../../graph/quantize/choose.ts';
import { widened } from '../../graph/quantize/grid.ts';
import { type Packed, packedOf } from '../../graph/quantize/pack.ts';
import { sitesOfWeight } from '../../graph/sites.ts';
import type { Rounder, Seeing } from './roundings/rounding.ts';

/** A product by blocks: what it reads, and the vector that is added behind it and by nothing else. */
interface Product {
  readonly weight: Value;
  readonly choice: BlockChoice;
  readonly input: Value;
  /** Numbers of a row of it. */
  readonly width: number;
  readonly bias?: Value;
}

const productsIn = (graph: Graph, choices: Choices): readonly Product[] =>
  [...choices].flatMap(([weight, choice]) => {
    if (!isBlocks(choice) || choice.use !== 'product') return [];
    // Of several nodes that multiply by it, the first speaks for all.
    const node: Node | undefined = sitesOfWeight(graph, weight)[0]?.node;
    const input = node?.inputs[0];
    const bias = ownBias(graph, weight);
    const width = graph.weights.get(weight)?.dims[choice.layout === 'turned' ? 0 : 1] ?? 0;
    return input == null ? [] : [{ weight, choice, input, width, ...(bias === undefined ? {} : { bias }) }];
  });

/** Where products are rounded by what they read. */
export interface BlockRequest extends Watching {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly examples: readonly Encoded[];
  onText(done: number, total: number): void;
  onMatrix(done: number, total: number): void;
}

/** Weights in blocks, and what makes up for the mean error of each. */
export interface RoundedProducts {
  readonly packings: Packings;
  readonly corrections: Corrections;
}

/** Rounds the products of one pass by what they read. */
const roundPass = async (
  request: BlockRequest,
  products: readonly Product[],
  rounder: Rounder,
  into: { readonly packings: Map<Value, Packed>; readonly corrections: Map<Value, Correction> },
  onProduct: () => void,
): Promise<void> => {
  const { graph, examples, signal, onText } = request;
  const grams = await gramsOf(request, [...new Set(products.map(({ input }) => input))], examples, onText);
  let known: { readonly key: string; readonly products: Float64Array } | undefined;
  for (const { weight, choice, input, bias } of products) {
    const gram = grams.get(input);
    if (gram === undefined) throw new Error(`'${input}' was not watched`);
    const rows = finiteRows(graph, weight, choice.layout);
    const key = `${input} ${bias === undefined ? 'as it is' : 'centred'}`;
    if (known?.key !== key) known = { key, products: bias === undefined ? gram.products : centred(gram) };
    const rounded = await rounder.round({ rows, grid: choice.grid, products: known.products }, signal);
    into.packings.set(weight, packedOf(rows, choice.grid, rounded, choice.use));
    const added = bias === undefined ? undefined : graph.weights.get(bias);
    if (bias !== undefined && added !== undefined) {
      const means = meansOf(gram);
      const near = widened(rows, choice.grid, rounded);
      into.corrections.set(weight, {
        bias,
        tensor: corrected(
          added,
          { means, width: rows.width, data: rows.data },
          { means, width: rows.width, data: near },
        ),
      });
    }
    onProduct();
  }
};

/** Rounds products by what they read. */
export const roundProducts = async (
  request: BlockRequest,
  rounding: Seeing,
  choices: Choices,
): Promise<RoundedProducts> => {
  const products = productsIn(request.graph, choices);
  const rounder = await rounding.open(request.engine, request.threads);
  const made = { packings: new Map<Value, Packed>(), corrections: new Map<Value, Correction>() };
  let done = 0;
  try {
    for (const pass of passesOf(products, gramBytes, heldFor(request.graph))) {
      await roundPass(request, pass, rounder, made, () => request.onMatrix(++done, products.length));
    }
  } finally {
    await rounder.release();
  }
  return made;
};
