import { GraphBuilder } from '../../builder.ts';
import { differentiate } from '../../differentiate.ts';
import { symbol } from '../../dim.ts';
import { any, node } from '../../rewrite/pattern.ts';
import { defineRule, held, type RuleSample } from '../../rewrite/rule.ts';

const column = node('Reshape', [node('Unique', [any('ids')], 'unique'), any('upright')]);

const looksUp = (name: string, axis: number): RuleSample => ({
  name,
  graph: () => {
    const builder = new GraphBuilder(name);
    const [x, ids] = [
      builder.input('x', 'float32', [symbol('batch'), 5]),
      builder.input('ids', 'int64', [symbol('sequence')]),
    ];
    const rows = builder.op('Gather', [builder.op('Mul', [x, x]), ids], { axis });
    const loss = builder.op('ReduceSum', [builder.op('Mul', [rows, rows])], { keepdims: 0 });
    const gradient = differentiate(builder, loss, [x]).get(x);
    if (gradient === undefined) throw new Error('x has a gradient');
    return builder.freeze([gradient]);
  },
});

/**
 * Rows that share an id are summed and land where the id says, without asking which ids there are:
 *
 *   S = [ids_i = ids_j];  dx[ids_i] = (S dy)_i
 *
 * Rows of one id come to the same sum, so that it does not matter which of them is written last.
 */
export const summedRows = defineRule({
  name: 'summed-rows',
  pattern: node('ScatterND', [
    any('zeros'),
    column,
    node('MatMul', [node('Cast', [node('Equal', [column, any('row')])], 'cast'), any('rows')]),
  ]),
  when: ({ graph, root, node: nodeOf, value }) => {
    const { attrs } = nodeOf('cast');
    const [ids, rows] = [graph.types.get(value('ids'))?.shape, graph.types.get(value('rows'))?.shape];
    if (root.attrs.reduction?.kind === 'string' && root.attrs.reduction.value !== 'none') return held('it adds');
    return ids?.length === 1 && rows?.length === 2 ? { to: attrs.to } : held('it is no matrix');
  },
  replace: (builder, place, { to }, output) => {
    const [ids, rows] = [place.value('ids'), place.value('rows')];
    const own = builder.op('Reshape', [ids, builder.ints([-1, 1])]); // (k, 1)
    const same = builder.op('Equal', [own, builder.op('Reshape', [ids, builder.ints([1, -1])])]); // (k, k)
    const numbers = builder.op('Cast', [same], { to: to?.kind === 'int' ? to.value : 1 });
    const sums = builder.op('MatMul', [numbers, rows]); // (k, width)
    const index = builder.op('Expand', [own, builder.op('Shape', [rows])]); // (k, width)
    return builder.op('ScatterElements', [place.value('zeros'), index, sums], { axis: 0 }, output);
  },
  fires: [looksUp('rows with repeats', 0), looksUp('columns with repeats', 1)],
  holds: [],
});
