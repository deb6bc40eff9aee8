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
