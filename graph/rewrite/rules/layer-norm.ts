import { GraphBuilder } from '../../builder.ts';
import { symbol } from '../../dim.ts';
import type { Graph, Value } from '../../graph.ts';
import { vector } from '../../tensor.ts';
import { any, either, node, scalar, weight } from '../pattern.ts';
import { defineRule, held, type RuleSample } from '../rule.ts';
import { emitRoot, numberIn, overLastAxis, typeOf } from './shared.ts';

const x = any('x');
const centred = node('Sub', [x, node('ReduceMean', [x], 'mean')], 'centred');
const squared = either(node('Pow', [centred, scalar('power')]), node('Mul', [centred, centred]));
const deviation = node('Sqrt', [node('Add', [node('ReduceMean', [squared], 'variance'), scalar('epsilon')])]);
const pattern = node('Add', [node('Mul', [node('Div', [centred, deviation]), weight('scale')]), weight('bias')]);

const decomposed = (options: { readonly power?: number; readonly axis?: number } = {}): Graph => {
  const builder = new GraphBuilder('norm');
  const value = builder.input('x', 'float32', [symbol('batch'), 6, 4]);
  const mean = (v: Value, axis = -1): Value => builder.op('ReduceMean', [v, builder.ints([axis])], { keepdims: 1 });
  const middle = builder.op('Sub', [value, mean(value, options.axis)]);
  const power = builder.op('Pow', [middle, builder.scalar('float32', options.power ?? 2)]);
  const variance = builder.op('Add', [mean(power), builder.scalar('float32', 1e-5)]);
  const normal = builder.op('Div', [middle, builder.op('Sqrt', [variance])]);
  const scaled = builder.op('Mul', [normal, builder.weight('scale', vector('float32', [1, 2, -1, 0.5]))]);
  return builder.freeze([builder.op('Add', [scaled, builder.weight('bias', vector('float32', [0, 1, 2, 3]))])]);
};
const sample = (name: string, graph: () => Graph): RuleSample => ({ name, graph });

/** (x - mean) / sqrt(variance + epsilon) * scale + bias (Ba et al. 2016, 1607.06450) as one LayerNormalization. */
export const layerNorm = defineRule<{ readonly epsilon: number }>({
  name: 'layer-norm',
  pattern,
  when: (place) => {
    const { graph, value, values } = place;
    const shape = typeOf(graph, value('x'))?.shape;
    const width = shape?.at(-1);
    if (shape === undefined || typeof width !== 'number') return held('the width is not known');
    if (!overLastAxis(place, 'mean', shape.length) || !overLastAxis(place, 'variance', shape.length)) {
      return held('mean or variance runs over other axes than the last');
    }
    const power = values.get('power');
    if (power !== undefined && numberIn(graph, power) !== 2) return held('the deviation is not squared');
    const rows = [value('scale'), value('bias')].map((name) => graph.weights.get(name)?.dims.join());
    if (rows.some((dims) => dims !== String(width))) return held('scale or bias has another shape');
    if ((graph.opsets[''] ?? 0) < 17) return held('LayerNormalization came with operator set 17');
    return { epsilon: numberIn(graph, value('epsilon')) };
  },
  replace: (builder, place, { epsilon }) =>
    emitRoot(builder, place, 'LayerNormalization', [place.value('x'), place.value('scale'), place.value('bias')], {
      axis: -1,
      epsilon: { float: epsilon },
    }),
  fires: [sample('the formula', () => decomposed())],
  holds: [
    sample('another power', () => decomposed({ power: 4 })),
    sample('the mean of another axis', () => decomposed({ axis: 1 })),
  ],
});
