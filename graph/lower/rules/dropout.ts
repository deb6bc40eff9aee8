import type { GraphBuilder } from '../../builder.ts';
import { indexOf, type Value } from '../../graph.ts';
import { any, node } from '../../rewrite/pattern.ts';
import { defineRule, held } from '../../rewrite/rule.ts';
import { sampleOf } from './shared.ts';

const dropped = (training: Value | null) => (builder: GraphBuilder, x: Value) =>
  builder.op('Relu', [builder.op('Dropout', [x, builder.scalar('float32', 0.5), training])], {}, 'y');

/** Dropout passes on what it is given, unless it is told that it trains. */
export const idleDropout = defineRule({
  name: 'idle-dropout',
  pattern: node('Dropout', [any('x')]),
  when: ({ graph, root }) => {
    const [, mask] = root.outputs;
    if (mask !== undefined && mask !== '' && (indexOf(graph).users.has(mask) || graph.outputs.includes(mask)))
      return held('its mask is read');
    return root.inputs[2] == null ? {} : held('it may train');
  },
  replace: (_, place) => place.value('x'),
  fires: [sampleOf('inference', (builder, x) => dropped(null)(builder, x))],
  holds: [sampleOf('training', (builder, x) => dropped(builder.scalar('bool', 0))(builder, x))],
});

/** A cast to the type of something else, where that is known. */
export const castLike = defineRule({
  name: 'cast-like',
  pattern: node('CastLike', [any('x'), any('like')]),
  when: ({ graph, value }) => {
    const dtype = graph.types.get(value('like'))?.dtype;
    return dtype === 'float32' ? {} : held('it is no cast to float32');
  },
  replace: (builder, place, _, output) => builder.op('Cast', [place.value('x')], { to: 1 }, output),
  fires: [
    sampleOf('integers like floats', (builder, x) =>
      builder.op('CastLike', [builder.op('Cast', [x], { to: 6 }), x], {}, 'y'),
    ),
  ],
  holds: [],
});
