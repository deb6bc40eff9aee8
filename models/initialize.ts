import { stream } from '../data/random.ts';
import { elementCount, type Tensor, tensorOf } from '../graph/tensor.ts';

/** What a matrix takes in and gives out, where its dimensions do not say so in this order. */
type Fans = readonly [inputs: number, outputs: number];

/** How the elements of a new parameter are drawn. */
export type Initializer =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  /** Ones along the diagonal of a matrix: what it is multiplied with stays as it is. */
  | { readonly kind: 'identity' }
  | { readonly kind: 'normal'; readonly deviation: number }
  /** N(0, 2 / (in + out)): Glorot and Bengio 2010. */
  | { readonly kind: 'xavier'; readonly fans?: Fans }
  /** N(0, 2 / in), for matrices before a rectifier: He et al. 2015, arXiv 1502.01852. */
  | { readonly kind: 'he'; readonly fans?: Fans };

const sumOf = ([rows = 1, columns = 1]: readonly number[]): number => rows + columns;

const deviationOf = (how: Initializer, dims: readonly number[]): number => {
  switch (how.kind) {
    case 'normal':
      return how.deviation;
    case 'xavier':
      return Math.sqrt(2 / sumOf(how.fans ?? dims));
    case 'he':
      return Math.sqrt(2 / ((how.fans ?? dims)[0] ?? 1));
    default:
      return 0;
  }
};

/** A new float32 parameter. Its stream is named by seed and parameter, so that adding one layer moves no other. */
export const initialize = (seed: number, name: string, dims: readonly number[], how: Initializer): Tensor => {
  const elements = new Float32Array(elementCount(dims));
  if (how.kind === 'ones') elements.fill(1);
  if (how.kind === 'identity') for (let at = 0; at < elements.length; at += (dims[1] ?? 0) + 1) elements[at] = 1;
  const deviation = deviationOf(how, dims);
  if (deviation > 0) {
    const random = stream(seed, 'initialize', name);
    for (let i = 0; i < elements.length; i++) elements[i] = deviation * random.normal();
  }
  return tensorOf('float32', dims, elements);
};
