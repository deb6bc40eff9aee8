import type { Value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import type { PassSample } from '../pass.ts';
import { type Fused, has, isComputed, needed, numberOf, outputAt, rankAt, scalarLike, type Unfusion } from './fused.ts';
import { fusedNode, sampleOf, weight } from './samples.ts';

interface Options {
  /** The first axis that is normalised, counted from the end. */
  readonly axis: number;
  readonly epsilon: number;
}

/** y = x / sqrt(mean(x^2) + epsilon) * scale (Zhang and Sennrich, arXiv 1910.07467), as exporters write it. */
export const rootMeanSquare = (at: Fused, x: Value, scale: Value, { axis, epsilon }: Options): void => {
  const { builder } = at;
  const axes = Array.from({ length: -axis }, (_, i) => axis + i);
  const mean = builder.op('ReduceMean', [builder.op('Mul', [x, x]), builder.ints(axes)], { keepdims: 1 });
  const root = builder.op('Sqrt', [builder.op('Add', [mean, scalarLike(at, x, epsilon)])]);
  const inverse = builder.op('Reciprocal', [root], {}, outputAt(at, 1));
  builder.op('Mul', [builder.op('Mul', [x, inverse]), scale], {}, outputAt(at, 0));
};

interface SampleParts {
  readonly op: string;
  readonly opset: number;
  readonly attrs?: AttributeInput;
  /** The scale; three tokens of eight numbers where it has two axes. */
  readonly dims?: readonly number[];
}

const sample = (name: string, { op, opset, attrs, dims = [8] }: SampleParts): PassSample =>
  sampleOf(
    name,
    (builder, { x }) => {
      const scale = weight(builder, 'scale', ...dims);
      return fusedNode(builder, op, [x, scale], [builder.type(x).shape ?? null], attrs);
    },
    { opset, ...(dims.length > 1 ? { length: 3 } : {}) },
  );

const unfusion = (op: string, changes: readonly PassSample[]): Unfusion => ({
  domain: '',
  op,
  plan: (at) => {
    const rank = rankAt(at, 0);
    if (rank === undefined || !isComputed(at) || !has(at, 1)) return undefined;
    const axis = numberOf(at, 'axis', -1);
    const options = { axis: axis < 0 ? axis : axis - rank, epsilon: numberOf(at, 'epsilon', 1e-5) };
    return () => rootMeanSquare(at, needed(at, 0), needed(at, 1), options);
  },
  changes,
  leaves: [],
});

/** Root-mean-square normalisation of operator set 23. */
export const rmsNormalization = unfusion('RMSNormalization', [
  sample('over the last axis', { op: 'RMSNormalization', opset: 23 }),
  sample('over two axes', { op: 'RMSNormalization', opset: 23, attrs: { axis: 1, epsilon: 0.25 }, dims: [3, 8] }),
]);

/** The same as ONNX Runtime writes it before, in the standard domain though no part of it. */
export const simplifiedLayerNormalization = unfusion('SimplifiedLayerNormalization', [
  sample('over the last axis', { op: 'SimplifiedLayerNormalization', opset: 20 }),
  sample('with an epsilon', { op: 'SimplifiedLayerNormalization', opset: 17, attrs: { axis: -1, epsilon: 0.25 } }),
]);
