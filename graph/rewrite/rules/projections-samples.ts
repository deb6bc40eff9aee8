import { GraphBuilder } from '../../builder.ts';
import { symbol } from '../../dim.ts';
import type { Graph, Value } from '../../graph.ts';
import { tensorOf } from '../../tensor.ts';
import type { RuleSample } from '../rule.ts';

const hidden = 12;

/** Distinct numbers of both signs, without a generator. */
const filled = (dims: readonly number[], phase: number) =>
  tensorOf(
    'float32',
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.7 + phase)),
  );

interface Variation {
  /** Keys come from another input. */
  readonly other?: boolean;
  /** Scores get a bias, or padding is masked. */
  readonly scores?: 'bias' | 'mask';
}

/** Optional inputs of MultiHeadAttention behind queries, keys and values. */
const behind = (builder: GraphBuilder, scores: Variation['scores']): readonly (Value | null)[] => {
  const [batch, sequence] = [symbol('batch'), symbol('sequence')];
  if (scores === 'mask')
    return [null, builder.op('Cast', [builder.input('mask', 'int64', [batch, sequence])], { to: 6 })];
  return scores === 'bias' ? [null, null, builder.input('bias', 'float32', [1, 1, sequence, sequence])] : [];
};

const projections = (biased: boolean, widths: readonly number[], options: Variation = {}): Graph => {
  const builder = new GraphBuilder('projections');
  const shape = [symbol('batch'), symbol('sequence'), hidden];
  const x = builder.input('x', 'float32', shape);
  const keys = options.other ? builder.input('memory', 'float32', shape) : x;
  const parts = widths.map((width, i): Value => {
    const product = builder.op('MatMul', [
      i === 1 ? keys : x,
      builder.weight(`self.${['query', 'key', 'value'][i]}.weight`, filled([hidden, width], i)),
    ]);
    const bias = (): Value => builder.weight(`self.${['query', 'key', 'value'][i]}.bias`, filled([width], i + 3));
    return biased ? builder.op('Add', [product, bias()]) : product;
  });
  const inputs = [...parts, ...behind(builder, options.scores)];
  const attrs = { num_heads: 2, scale: { float: 0.25 }, mask_filter_value: { float: -1e9 } };
  const output = builder.op('com.microsoft:MultiHeadAttention', inputs, attrs, 'output');
  return builder.freeze([output]);
};

const sample = (name: string, graph: () => Graph): RuleSample => ({ name, graph });

export const projectionSamples = (biased: boolean) => ({
  fires: [
    sample('three projections of one input', () => projections(biased, [8, 8, 8])),
    sample('values of another width', () => projections(biased, [8, 8, 16])),
  ],
  holds: [
    sample('keys come from another input', () => projections(biased, [8, 8, 8], { other: true })),
    sample(biased ? 'there are no biases' : 'there are biases', () => projections(!biased, [8, 8, 8])),
  ],
});

export const selfAttentionSamples = {
  fires: [
    sample('three projections of one input', () => projections(true, [8, 8, 8])),
    sample('padding is masked', () => projections(true, [8, 8, 8], { scores: 'mask' })),
  ],
  holds: [
    sample('values of another width', () => projections(true, [8, 8, 16])),
    sample('keys come from another input', () => projections(true, [8, 8, 8], { other: true })),
    sample('scores get a bias', () => projections(true, [8, 8, 8], { scores: 'bias' })),
    sample('there are no biases', () => projections(false, [8, 8, 8])),
  ],
};
