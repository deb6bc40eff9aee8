import { GraphBuilder } from '../../builder.ts';
import { symbol } from '../../dim.ts';
import type { Graph } from '../../graph.ts';
import { numbersOf, vector } from '../../tensor.ts';
import { any, node, weight } from '../pattern.ts';
import { defineRule, held, type RuleSample } from '../rule.ts';
import { emitRoot, intOf, typeOf } from './shared.ts';

const booleanCode = 9;

interface Variation {
  readonly axis?: number;
  readonly keepdims?: number;
  /** Width of what the features are multiplied by. */
  readonly width?: number;
}

const pooled = ({ axis = 1, keepdims = 0, width = 1 }: Variation = {}): Graph => {
  const builder = new GraphBuilder('pooled');
  const [batch, sequence] = [symbol('batch'), symbol('sequence')];
  const x = builder.input('x', 'float32', [batch, sequence, 6]);
  const shares = builder.input('shares', 'float32', [batch, sequence, width]);
  const product = builder.op('Mul', [x, shares]);
  return builder.freeze([builder.op('ReduceSum', [product, builder.ints([axis])], { keepdims }, 'output')]);
};
const sample = (name: string, graph: () => Graph): RuleSample => ({ name, graph });

/**
 * The sum over tokens of x (batch, sequence, hidden) times a number a token as one product of matrices,
 * (1, sequence) x (sequence, hidden): masked mean pooling without a masked copy of x. ReduceSum over the middle axis is
 * slow: with the copy it took 180 of 4,600 microseconds of an INT8 encoder of width 512 at 128 tokens.
 *
 * A batch of texts without a single token has a sum of nothing. ONNX Runtime 1.30 fills such a product for the first text
 * only, so the sum is chosen to be 0 where there are no tokens.
 */
export const pooling = defineRule({
  name: 'pooling',
  pattern: node('ReduceSum', [node('Mul', [any('x'), any('shares')]), weight('axes')]),
  when: ({ graph, root, value }) => {
    const [x, shares] = [typeOf(graph, value('x')), typeOf(graph, value('shares'))];
    if ((graph.opsets[''] ?? 0) < 15) return held('Shape gives a single dimension from operator set 15 on');
    if (x?.dtype !== 'float32' || x.shape?.length !== 3 || shares?.shape?.length !== 3) return held('no features');
    if (intOf(root, 'keepdims', 1) !== 0) return held('the summed axis stays');
    const axes = numbersOf(graph.weights.get(value('axes')) ?? vector('int64', []));
    if (axes.join() !== '1') return held('the sum runs over another axis');
    const whole = shares.shape[0] === x.shape[0] && shares.shape[1] === x.shape[1] && shares.shape[2] === 1;
    // The other order of the product is a match of its own.
    return whole && x.shape[2] !== 1 ? {} : held('the factor is no number a token');
  },
  replace: (builder, place) => {
    const inputs = [place.value('shares'), place.value('x')];
    const product = builder.op('com.microsoft:FusedMatMul', inputs, { transA: 1 }); // (batch, 1, hidden)
    const sum = builder.op('Squeeze', [product, builder.ints([1])]);
    const tokens = builder.op('Shape', [place.value('x')], { start: 1, end: 2 });
    const some = builder.op('Cast', [tokens], { to: booleanCode });
    return emitRoot(builder, place, 'Where', [some, sum, builder.scalar('float32', 0)]);
  },
  fires: [sample('features times a number a token', () => pooled())],
  holds: [
    sample('the sum runs over the width', () => pooled({ axis: 2 })),
    sample('the summed axis stays', () => pooled({ keepdims: 1 })),
    sample('a number for every element', () => pooled({ width: 6 })),
  ],
});
