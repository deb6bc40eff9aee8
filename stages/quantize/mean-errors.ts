import type { Encoded } from '../../engine/encoded.ts';
import { type Correction, type Corrections, corrected, ownBias } from '../../engine/layerwise/corrections.ts';
import { gathered, type Watching } from '../../engine/observe/index.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { rowsOf } from '../../graph/quantize/grid.ts';
import { fixedPointOf, inSteps, type Ranges } from '../../graph/quantize/range.ts';
import { type Limit, quantizeMatrix, widenedMatrix } from '../../graph/quantize/weights.ts';
import { sitesOfWeight } from '../../graph/sites.ts';

/** Sums of each number of a row, as it is and as 8 bits of a range keep it. */
interface Sums {
  rows: number;
  readonly exact: Float64Array;
  readonly rounded: Float64Array;
}

const blank = (width: number): Sums => ({
  ...{ rows: 0, exact: new Float64Array(width), rounded: new Float64Array(width) },
});

interface Request extends Watching {
  readonly ranges: Ranges;
  /** Weights of the products that read them in 8 bits. */
  readonly products: readonly Value[];
  readonly limit: Limit;
  readonly examples: readonly Encoded[];
  onText(done: number, total: number): void;
}

/** Sums of all that has a range, over texts. */
const sumsOf = ({ ranges, examples, onText, ...watching }: Request): Promise<ReadonlyMap<Value, Sums>> => {
  const points = new Map([...ranges].map(([value, range]) => [value, fixedPointOf(range)]));
  return gathered(watching, [...ranges.keys()], examples, {
    begin: ({ width }) => blank(width),
    add: (own, { data, rows, width }, { value }) => {
      const point = points.get(value);
      if (point === undefined) throw new Error(`'${value}' has no range`);
      own.rows += rows;
      for (let i = 0; i < data.length; i++) {
        const [x, at] = [data[i] as number, i % width];
        own.exact[at] = (own.exact[at] as number) + x;
        own.rounded[at] = (own.rounded[at] as number) + inSteps(x, point);
      }
    },
    onText,
  });
};

/** What makes up for the mean error of a product in 8 bits, if a bias of its own is behind it. */
const correctionOf = (graph: Graph, weight: Value, limit: Limit, sums: Sums): Correction | undefined => {
  const [tensor, bias] = [graph.weights.get(weight), ownBias(graph, weight)];
  const added = bias === undefined ? undefined : graph.weights.get(bias);
  const [site] = sitesOfWeight(graph, weight);
  if (tensor === undefined || bias === undefined || added === undefined || site?.use.kind !== 'linear')
    return undefined;
  const layout = site.use.inner === 0 ? 'turned' : 'as it is';
  const axis = site.use.inner === 0 ? 'columns' : 'rows';
  const near = widenedMatrix(quantizeMatrix(weight, tensor, axis, limit), axis);
  const [before, after] = [rowsOf(tensor, layout), rowsOf(near, layout)];
  const mean = (of: Float64Array) => of.map((sum) => sum / sums.rows);
  return {
    bias,
    tensor: corrected(added, { ...before, means: mean(sums.exact) }, { ...after, means: mean(sums.rounded) }),
  };
};

/**
 * What makes up for the mean errors of products whose inputs have fixed ranges.
 *
 * Nagel et al. 2019, Data-Free Quantization, arXiv 1906.04721, with means over texts.
 */
export const meanErrors = async (request: Request): Promise<Corrections> => {
  const { graph, limit, products } = request;
  const sums = await sumsOf(request);
  const corrections = new Map<Value, Correction>();
  for (const weight of products) {
    const read = sitesOfWeight(graph, weight)[0]?.node.inputs[0];
    const own = read == null ? undefined : sums.get(read);
    const correction = own === undefined ? undefined : correctionOf(graph, weight, limit, own);
    if (correction !== undefined) corrections.set(weight, correction);
  }
  return corrections;
};
