import { indexOf, type Value } from '../../graph.ts';
import type { PassSample } from '../pass.ts';
import { type Fused, has, inputAt, isComputed, needed, numberOf, outputAt, type Unfusion } from './fused.ts';
import { rootMeanSquare } from './root-mean-square.ts';
import { batch, fusedNode, sampleOf, sequence, weight } from './samples.ts';

const SUM = 3;

const products: ReadonlySet<string> = new Set(['MatMul', 'Gemm', 'FusedMatMul']);

const isProduct = ({ graph }: Fused, x: Value): boolean => products.has(indexOf(graph).producer.get(x)?.op ?? '');

/** x + skip + bias, the bias where a linear layer ends: it is that layer's. */
const total = (at: Fused, bias: Value | undefined): Value => {
  const [x, skip] = [needed(at, 0), needed(at, 1)];
  const name = outputAt(at, SUM);
  const add = (a: Value, b: Value, as?: string): Value => at.builder.op('Add', [a, b], {}, as);
  if (bias === undefined) return add(x, skip, name);
  return isProduct(at, skip) && !isProduct(at, x) ? add(x, add(skip, bias), name) : add(add(x, bias), skip, name);
};

const epsilonOf = (at: Fused): number => numberOf(at, 'epsilon', 1e-12);

/** Nobody asks for the statistics. */
const isPlain = (at: Fused): boolean =>
  isComputed(at) && outputAt(at, 1) === undefined && outputAt(at, 2) === undefined && has(at, 2);

const layer = 'SkipLayerNormalization';
const rms = 'SkipSimplifiedLayerNormalization';

const stream = [batch, sequence, 8];

interface SampleParts {
  readonly vectors: number;
  readonly bias?: 'x' | 'skip';
  readonly sum?: boolean;
}

const sample = (name: string, op: string, { vectors, bias, sum = false }: SampleParts): PassSample =>
  sampleOf(name, (builder, { x, y }) => {
    const linear = (z: Value): Value => builder.op('MatMul', [z, weight(builder, 'projection', 8, 8)]);
    const [first, skip] = bias === 'skip' ? [x, linear(y)] : [linear(x), y];
    const own = [0, 1].map((i) => (i < vectors ? weight(builder, `own${i}`, 8) : null));
    const kept = own.slice(0, op === rms ? 1 : 2);
    const last = bias === undefined ? null : weight(builder, 'bias', 8);
    const shapes = sum ? [stream, null, null, stream] : [stream];
    const outputs = fusedNode(builder, `com.microsoft:${op}`, [first, skip, ...kept, last], shapes, {
      epsilon: { float: 0.001 },
    });
    return sum ? [outputs[0], outputs[3]] : outputs;
  });

/** LayerNormalization of x + skip + bias. */
export const skipLayerNormalization: Unfusion = {
  domain: 'com.microsoft',
  op: 'SkipLayerNormalization',
  plan: (at) => {
    if (!isPlain(at)) return undefined;
    return () => {
      const sum = total(at, inputAt(at, 4));
      const attrs = { axis: -1, epsilon: { float: epsilonOf(at) } };
      const vectors = [needed(at, 2), inputAt(at, 3)].filter((one) => one !== undefined);
      at.builder.op('LayerNormalization', [sum, ...vectors], attrs, outputAt(at, 0));
    };
  },
  changes: [
    sample('a norm of a sum', layer, { vectors: 2 }),
    sample('with the bias of what is added', layer, { vectors: 2, bias: 'x' }),
    sample('with the bias of the skip, and the sum', layer, { vectors: 2, bias: 'skip', sum: true }),
    sample('without a shift', layer, { vectors: 1, bias: 'x', sum: true }),
  ],
  leaves: [],
};

/** Root-mean-square normalisation of x + skip + bias. */
export const skipSimplifiedLayerNormalization: Unfusion = {
  domain: 'com.microsoft',
  op: 'SkipSimplifiedLayerNormalization',
  plan: (at) => {
    if (!isPlain(at)) return undefined;
    return () => {
      rootMeanSquare(at, total(at, inputAt(at, 3)), needed(at, 2), { axis: -1, epsilon: epsilonOf(at) });
    };
  },
  changes: [
    sample('a norm of a sum', rms, { vectors: 1 }),
    sample('with a bias and the sum', rms, { vectors: 1, bias: 'x', sum: true }),
  ],
  leaves: [],
};
