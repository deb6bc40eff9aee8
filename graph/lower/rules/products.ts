import type { GraphBuilder } from '../../builder.ts';
import type { Graph, Value } from '../../graph.ts';
import { any, node } from '../../rewrite/pattern.ts';
import { defineRule, held } from '../../rewrite/rule.ts';
import { numberAttr, sampleOf } from './shared.ts';

const turned = (builder: GraphBuilder, graph: Graph, x: Value): Value => {
  const rank = graph.types.get(x)?.shape?.length ?? 2;
  const order = Array.from({ length: rank }, (_, i) => i);
  return builder.op('Transpose', [x], { perm: [...order.slice(0, -2), rank - 1, rank - 2] });
};

const product =
  (attrs: Readonly<Record<string, number | { readonly float: number }>>) => (builder: GraphBuilder, x: Value) =>
    builder.op('com.microsoft:FusedMatMul', [x, x], attrs, 'y');

/** alpha A B with either side turned, in plain nodes. */
export const fusedProduct = defineRule({
  name: 'fused-product',
  pattern: node('com.microsoft:FusedMatMul', [any('a'), any('b')]),
  when: ({ graph, value }) => {
    const isKnown = [value('a'), value('b')].every((name) => (graph.types.get(name)?.shape?.length ?? 0) >= 2);
    return isKnown ? {} : held('the rank of a side is not known');
  },
  replace: (builder, place, _, output) => {
    const { graph, root } = place;
    const side = (name: string, flag: string): Value =>
      numberAttr(root, flag, 0) === 1 ? turned(builder, graph, place.value(name)) : place.value(name);
    const [a, b] = [side('a', 'transA'), side('b', 'transB')];
    const alpha = numberAttr(root, 'alpha', 1);
    if (alpha === 1) return builder.op('MatMul', [a, b], {}, output);
    return builder.op('Mul', [builder.op('MatMul', [a, b]), builder.scalar('float32', alpha)], {}, output);
  },
  fires: [
    sampleOf('first side turned', product({ transA: 1 })),
    sampleOf('second side turned and scaled', product({ transB: 1, alpha: { float: 0.5 } })),
  ],
  holds: [
    sampleOf('a plain product', (builder, x) =>
      builder.op('MatMul', [x, builder.op('Transpose', [x], { perm: [0, 2, 1] })], {}, 'y'),
    ),
  ],
});
