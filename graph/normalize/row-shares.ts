import { GraphBuilder } from '../builder.ts';
import { symbol } from '../dim.ts';
import type { Graph } from '../graph.ts';
import { any, node } from '../rewrite/pattern.ts';
import { defineRule, held } from '../rewrite/rule.ts';
import { emitRoot, intOf, typeOf } from '../rewrite/rules/shared.ts';

const sample = (axis: number) => (): Graph => {
  const builder = new GraphBuilder('shares');
  const x = builder.input('x', 'float32', [symbol('batch'), 2, symbol('sequence')]);
  const shares = builder.op('Softmax', [builder.op('Flatten', [x], { axis })], { axis: -1 });
  return builder.freeze([builder.op('Reshape', [shares, builder.op('Shape', [x])], { allowzero: 1 })]);
};

/** Rows that are made of the last axis alone and given their places again: shares along that axis, as old operator sets say them. */
export const rowShares = defineRule<true>({
  name: 'row-shares',
  pattern: node('Reshape', [
    node('Softmax', [node('Flatten', [any('x')], 'rows')], 'shares'),
    node('Shape', [any('x')], 'shape'),
  ]),
  when: (place) => {
    const rank = typeOf(place.graph, place.value('x'))?.shape?.length;
    const [rows, shares, shape] = ['rows', 'shares', 'shape'].map((name) => place.node(name));
    if (rank === undefined || rows === undefined || shares === undefined || shape === undefined)
      return held('the rank is not known');
    if (intOf(rows, 'axis', 1) !== rank - 1) return held('rows are made of several axes');
    const whole = shape.attrs.start === undefined && shape.attrs.end === undefined;
    return [-1, 1].includes(intOf(shares, 'axis', -1)) && whole ? true : held('other places, or another axis');
  },
  replace: (builder, place) => emitRoot(builder, place, 'Softmax', [place.value('x')], { axis: -1 }),
  fires: [{ name: 'of the last axis', graph: sample(2) }],
  holds: [{ name: 'of the last two', graph: sample(1) }],
});
