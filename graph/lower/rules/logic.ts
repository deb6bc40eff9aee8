import type { GraphBuilder } from '../../builder.ts';
import type { Value } from '../../graph.ts';
import { any, node } from '../../rewrite/pattern.ts';
import { defineRule } from '../../rewrite/rule.ts';
import { vector } from '../../tensor.ts';
import { sampleOf } from './shared.ts';

const asNumbers = (builder: GraphBuilder, truth: Value): Value => builder.op('Cast', [truth], { to: 1 }, 'y');

const above = (builder: GraphBuilder, x: Value, number: number): Value =>
  builder.op('Greater', [x, builder.scalar('float32', number)]);

const truths = (op: string) =>
  sampleOf(op, (builder, x) =>
    asNumbers(builder, builder.op(op, [above(builder, x, 0), above(builder, builder.op('Neg', [x]), 0.5)])),
  );

/** Every fourth number is none. */
const holed = (builder: GraphBuilder, x: Value): Value =>
  builder.op('Add', [x, builder.constant(vector('float32', [0, Number.NaN, 0, 0]))]);

/** What is no number is the one thing that differs from itself. */
export const notANumber = defineRule({
  name: 'is-nan',
  pattern: node('IsNaN', [any('x')]),
  when: () => ({}),
  replace: (builder, place, _, output) => {
    const x = place.value('x');
    return builder.op('Not', [builder.op('Equal', [x, x])], {}, output);
  },
  fires: [sampleOf('IsNaN', (builder, x) => asNumbers(builder, builder.op('IsNaN', [holed(builder, x)])))],
  holds: [truths('And')],
});

/** a or b = not (not a and not b). */
export const or = defineRule({
  name: 'or',
  pattern: node('Or', [any('a'), any('b')]),
  when: () => ({}),
  replace: (builder, place, _, output) => {
    const neither = builder.op('And', [builder.op('Not', [place.value('a')]), builder.op('Not', [place.value('b')])]);
    return builder.op('Not', [neither], {}, output);
  },
  fires: [truths('Or')],
  holds: [truths('And')],
});

/** One of two: either, but not both. */
export const xor = defineRule({
  name: 'xor',
  pattern: node('Xor', [any('a'), any('b')]),
  when: () => ({}),
  replace: (builder, place, _, output) => {
    const [a, b] = [place.value('a'), place.value('b')];
    const both = builder.op('And', [a, b]);
    return builder.op('And', [builder.op('Or', [a, b]), builder.op('Not', [both])], {}, output);
  },
  fires: [truths('Xor')],
  holds: [truths('And')],
});
