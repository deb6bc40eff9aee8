import { GraphBuilder } from '../../builder.ts';
import { symbol } from '../../dim.ts';
import type { Graph, Value } from '../../graph.ts';
import { vector } from '../../tensor.ts';
import { any, either, node, scalar, weight } from '../pattern.ts';
import { defineRule, held } from '../rule.ts';
import { emitRoot, numberIn, overLastAxis, typeOf } from './shared.ts';

const x = any('x');
const squared = either(node('Pow', [x, scalar('power')]), node('Mul', [x, x]));
const root = node('Sqrt', [node('Add', [node('ReduceMean', [squared], 'square'), scalar('epsilon')])]);
const normal = either(
  node('Mul', [x, either(node('Reciprocal', [root]), node('Div', [scalar('one'), root]))]),
  node('Div', [x, root]),
);
const pattern = node('Mul', [normal, weight('scale')]);

interface Variant {
  readonly inverse?: 'reciprocal' | 'over' | 'divided';
  readonly power?: number;
  readonly axis?: number;
  readonly one?: number;
}

const decomposed =
  ({ inverse = 'reciprocal', power = 2, axis = -1, one = 1 }: Variant = {}) =>
  (): Graph => {
    const builder = new GraphBuilder('rms');
    const number = (value: number): Value => builder.scalar('float32', value);
    const input = builder.input('x', 'float32', [symbol('batch'), 6, 4]);
    const mean = builder.op('ReduceMean', [builder.op('Pow', [input, number(power)]), builder.ints([axis])], {
      keepdims: 1,
    });
    const size = builder.op('Sqrt', [builder.op('Add', [mean, number(1e-5)])]);
    const hat = {
      reciprocal: () => builder.op('Mul', [input, builder.op('Reciprocal', [size])]),
      over: () => builder.op('Mul', [input, builder.op('Div', [number(one), size])]),
      divided: () => builder.op('Div', [input, size]),
    }[inverse]();
    return builder.freeze([builder.op('Mul', [builder.weight('scale', vector('float32', [1, 2, -1, 0.5])), hat])]);
  };

/**
 * x / sqrt(mean(x^2) + epsilon) * scale (Zhang and Sennrich 2019, 1910.07467) as the one operator that ONNX Runtime has for it at
 * every operator set.
 */
export const rmsNorm = defineRule<{ readonly epsilon: number }>({
  name: 'rms-norm',
  pattern,
  when: (place) => {
    const { graph, value, values } = place;
    const type = typeOf(graph, value('x'));
    const width = type?.shape?.at(-1);
    if (type?.dtype !== 'float32' || type.shape === undefined || typeof width !== 'number')
      return held('the width is not known');
    if (!overLastAxis(place, 'square', type.shape.length)) return held('the mean runs over other axes than the last');
    const [power, one] = [values.get('power'), values.get('one')];
    if (power !== undefined && numberIn(graph, power) !== 2) return held('the values are not squared');
    if (one !== undefined && numberIn(graph, one) !== 1) return held('another number than 1 is divided');
    if (graph.weights.get(value('scale'))?.dims.join() !== String(width)) return held('the scale has another shape');
    return { epsilon: numberIn(graph, value('epsilon')) };
  },
  replace: (builder, place, { epsilon }) =>
    emitRoot(builder, place, 'SimplifiedLayerNormalization', [place.value('x'), place.value('scale')], {
      axis: -1,
      epsilon: { float: epsilon },
      stash_type: 1,
    }),
  fires: [
    { name: 'times a reciprocal', graph: decomposed() },
    { name: 'times one over the root', graph: decomposed({ inverse: 'over' }) },
    { name: 'divided by the root', graph: decomposed({ inverse: 'divided' }) },
  ],
  holds: [
    { name: 'another power', graph: decomposed({ power: 4 }) },
    { name: 'the mean of another axis', graph: decomposed({ axis: 1 }) },
    { name: 'two over the root', graph: decomposed({ inverse: 'over', one: 2 }) },
  ],
});
