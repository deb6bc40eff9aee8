import type { GraphBuilder } from '../../builder.ts';
import type { Value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import { any, node } from '../../rewrite/pattern.ts';
import { defineRule, held } from '../../rewrite/rule.ts';
import { vector } from '../../tensor.ts';
import { inputsOf, numberAttr, sampleOf } from './shared.ts';

/** All but the last addition, so that the last can take the name of the whole. */
const added = (builder: GraphBuilder, parts: readonly Value[], output?: Value): Value => {
  const [first, ...rest] = parts;
  if (first === undefined) throw new Error('a sum needs terms');
  if (rest.length === 0) return first;
  return rest.reduce(
    (sum, part, i) => builder.op('Add', [sum, part], {}, i === rest.length - 1 ? output : undefined),
    first,
  );
};

const terms = (op: 'Sum' | 'Mean', count: number) =>
  sampleOf(`${op} of ${count}`, (builder, x) => {
    const others = [builder.op('Neg', [x]), builder.op('Exp', [x]), builder.op('ReduceMax', [x, builder.ints([1])])];
    return builder.op(op, [x, ...others].slice(0, count), {}, 'y');
  });

const plainAdd = sampleOf('Add', (builder, x) => builder.op('Add', [x, x], {}, 'y'));

/** Sum of any number of terms, one Add after the other. */
export const sum = defineRule({
  name: 'sum',
  pattern: node('Sum', [any('x')]),
  when: () => ({}),
  replace: (builder, { root }, _, output) => added(builder, inputsOf(root), output),
  fires: [terms('Sum', 2), terms('Sum', 4)],
  holds: [plainAdd],
});

/** Mean of any number of terms. */
export const mean = defineRule({
  name: 'mean',
  pattern: node('Mean', [any('x')]),
  when: () => ({}),
  replace: (builder, { root, graph }, _, output) => {
    const parts = inputsOf(root);
    const dtype = graph.types.get(output)?.dtype ?? 'float32';
    return builder.op('Mul', [added(builder, parts), builder.scalar(dtype, 1 / parts.length)], {}, output);
  },
  fires: [terms('Mean', 1), terms('Mean', 3)],
  holds: [plainAdd],
});

/** sign(x) = (x > 0) - (x < 0), as numbers. */
export const sign = defineRule({
  name: 'sign',
  pattern: node('Sign', [any('x')]),
  when: ({ graph, value }) => (graph.types.get(value('x'))?.dtype === 'float32' ? {} : held('it is no float32')),
  replace: (builder, place, _, output) => {
    const x = place.value('x');
    const zero = builder.scalar('float32', 0);
    const [above, below] = ['Greater', 'Less'].map((op) => builder.op('Cast', [builder.op(op, [x, zero])], { to: 1 }));
    if (above === undefined || below === undefined) throw new Error('two sides are there');
    return builder.op('Sub', [above, below], {}, output);
  },
  fires: [sampleOf('Sign', (builder, x) => builder.op('Sign', [builder.op('Relu', [x])], {}, 'y'))],
  holds: [
    sampleOf('Sign of integers', (builder, x) => builder.op('Sign', [builder.op('Cast', [x], { to: 6 })], {}, 'y')),
  ],
});

/** Without axes and told to do nothing then, kernels forget what comes before or after the sum. */
const idleSum = (
  name: string,
  op: 'ReduceSumSquare' | 'ReduceLogSum',
  one: (builder: GraphBuilder, x: Value, output: Value) => Value,
) => {
  const over = (attrs: AttributeInput) => (builder: GraphBuilder, x: Value) =>
    builder.op(op, [builder.op('Exp', [x])], attrs, 'y');
  return defineRule({
    name,
    pattern: node(op, [any('x')]),
    when: ({ root }) => {
      const isIdle =
        root.inputs[1] == null && root.attrs.axes === undefined && numberAttr(root, 'noop_with_empty_axes', 0) === 1;
      return isIdle ? {} : held('it reduces');
    },
    replace: (builder, place, _, output) => one(builder, place.value('x'), output),
    fires: [sampleOf('no axes', over({ noop_with_empty_axes: 1 }))],
    holds: [sampleOf('all axes', over({}))],
  });
};

export const idleSquareSum = idleSum('idle-square-sum', 'ReduceSumSquare', (builder, x, output) =>
  builder.op('Mul', [x, x], {}, output),
);

export const idleLogSum = idleSum('idle-log-sum', 'ReduceLogSum', (builder, x, output) =>
  builder.op('Log', [x], {}, output),
);

/** One number as often as a shape says. */
export const filledShape = defineRule({
  name: 'filled-shape',
  pattern: node('ConstantOfShape', [any('shape')]),
  when: ({ root }) => {
    const { value } = root.attrs;
    return value === undefined || value.kind === 'tensor' ? { filler: value?.value } : held('its number is none');
  },
  replace: (builder, place, { filler }, output) => {
    const number = filler === undefined ? builder.scalar('float32', 0) : builder.constant({ ...filler, dims: [] });
    return builder.op('Expand', [number, place.value('shape')], {}, output);
  },
  fires: [
    sampleOf('zeros', (builder, x) => builder.op('ConstantOfShape', [builder.op('Shape', [x])], {}, 'y')),
    sampleOf('another number', (builder, x) =>
      builder.op('ConstantOfShape', [builder.op('Shape', [x])], { value: vector('float32', [0.5]) }, 'y'),
    ),
  ],
  holds: [sampleOf('Expand', (builder, x) => builder.op('Expand', [x, builder.op('Shape', [x])], {}, 'y'))],
});
