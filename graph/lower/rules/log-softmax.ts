import { opsetOf } from '../../graph.ts';
import { any, node } from '../../rewrite/pattern.ts';
import { defineRule, held } from '../../rewrite/rule.ts';
import { numberAttr, sampleOf } from './shared.ts';

/** Before this operator set, LogSoftmax counts all axes from the given one on as one. */
const ONE_AXIS_SINCE = 13;

const on = (axis: number, opset: number, op = 'LogSoftmax') =>
  sampleOf(`${op} on axis ${axis}, operator set ${opset}`, (builder, x) => builder.op(op, [x], { axis }, 'y'), opset);

/** log softmax(x) = x - m - log(sum(exp(x - m))) with m = max(x). */
export const logSoftmax = defineRule({
  name: 'log-softmax',
  pattern: node('LogSoftmax', [any('x')]),
  when: ({ graph, root, value }) => {
    const alone = opsetOf(graph.opsets, '') >= ONE_AXIS_SINCE;
    const axis = numberAttr(root, 'axis', alone ? -1 : 1);
    const rank = graph.types.get(value('x'))?.shape?.length;
    return alone || axis === -1 || axis + 1 === rank ? { axis } : held('it counts several axes as one');
  },
  replace: (builder, place, { axis }, output) => {
    const x = place.value('x');
    const axes = builder.ints([axis]);
    const shifted = builder.op('Sub', [x, builder.op('ReduceMax', [x, axes], { keepdims: 1 })]);
    const sum = builder.op('ReduceSum', [builder.op('Exp', [shifted]), axes], { keepdims: 1 });
    return builder.op('Sub', [shifted, builder.op('Log', [sum])], {}, output);
  },
  fires: [on(-1, 20), on(1, 20), on(2, 12)],
  holds: [on(1, 12), on(-1, 20, 'Softmax')],
});
