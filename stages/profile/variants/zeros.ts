import type { Graph, Value } from '../../../graph/graph.ts';
import { float32Of, type Tensor, tensorOf } from '../../../graph/tensor.ts';
import { withInstead } from '../given.ts';
import { type Product, productsOf, zerosOf } from '../products.ts';
import { narrowed } from './narrow.ts';
import type { Variant } from './variant.ts';

/** Below this many zeros nothing would be gained by leaving them out: rounding to 8 bits makes some by itself. */
const manyZeros = 0.3;

const sparseProducts = (graph: Graph): readonly Product[] =>
  productsOf(graph).filter((product) => zerosOf(product) > manyZeros);

/** Zeros replaced by the smallest number that counts. */
const filled = (tensor: Tensor): Tensor =>
  tensor.dtype === 'int8'
    ? tensorOf(
        'int8',
        tensor.dims,
        Int8Array.from(tensor.bytes.read(), (x) => x || 1),
      )
    : tensorOf(
        'float32',
        tensor.dims,
        float32Of(tensor).map((x) => x || 1e-3),
      );

/** The same graph with numbers in the place of its zeros: as quick where no kernel leaves zeros out. */
export const dense: Variant = {
  name: 'dense',
  make: ({ graph }) => {
    const sparse = sparseProducts(graph);
    const changed = sparse.map(({ weight, tensor }) => [weight, filled(tensor)] as const);
    return sparse.length === 0 ? undefined : { ...graph, weights: new Map([...graph.weights, ...changed]) };
  },
};

/** As many weights left out as there are zeros, in whole rows: what structured pruning to the same size would run. */
export const cut: Variant = {
  name: 'cut',
  make: (subject) => {
    const weights = new Map<Value, Tensor>();
    const sparse = sparseProducts(subject.graph);
    const instead = new Map(
      sparse.map((product) => {
        const keep = Math.round(product.inner * (1 - zerosOf(product)));
        return [product.node, [narrowed(subject, product, keep, weights)]];
      }),
    );
    return sparse.length === 0 ? undefined : withInstead(subject.graph, instead, subject.recorded, weights);
  },
};
