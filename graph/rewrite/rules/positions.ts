import { GraphBuilder } from '../../builder.ts';
import { symbol } from '../../dim.ts';
import type { Graph, Value } from '../../graph.ts';
import { numbersOf, tensorOf, vector } from '../../tensor.ts';
import { any, node, weight } from '../pattern.ts';
import { defineRule, held, type RuleSample } from '../rule.ts';
import { emitRoot, intOf } from './shared.ts';

/** Whether a weight holds 0, 1, 2 and so on. */
const counts = (graph: Graph, name: Value, length: number): boolean => {
  const numbers = numbersOf(graph.weights.get(name) ?? vector('int64', []));
  return numbers.length === length && numbers.every((number, i) => number === i);
};

const isZero = (graph: Graph, name: Value): boolean => counts(graph, name, 1);

const positions = (options: { readonly first?: number; readonly numbers?: readonly number[] } = {}): Graph => {
  const builder = new GraphBuilder('positions');
  const ids = builder.input('ids', 'int64', [symbol('batch'), symbol('sequence')]);
  const table = builder.weight(
    'table',
    tensorOf(
      'float32',
      [8, 3],
      Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)),
    ),
  );
  const every = builder.ints(options.numbers ?? [0, 1, 2, 3, 4, 5, 6, 7]);
  const length = builder.op('Shape', [ids], { start: 1, end: 2 });
  const rows = builder.op('Slice', [every, builder.ints([options.first ?? 0]), length, builder.ints([0])]);
  return builder.freeze([builder.op('Gather', [table, rows], {}, 'output')]);
};
const sample = (name: string, graph: () => Graph): RuleSample => ({ name, graph });

/** The first rows of a table of positions, cut off instead of looked up by a counted list: one kernel less. */
export const positionRows = defineRule({
  name: 'position-rows',
  pattern: node('Gather', [
    weight('table'),
    node('Slice', [weight('numbers'), weight('first'), any('length'), weight('axis')], 'slice'),
  ]),
  when: ({ graph, root, value, node }) => {
    const [rows = 0] = graph.weights.get(value('table'))?.dims ?? [];
    if (intOf(root, 'axis', 0) !== 0) return held('columns are looked up');
    if (!counts(graph, value('numbers'), rows)) return held('the list does not count the rows of the table');
    const whole = isZero(graph, value('first')) && isZero(graph, value('axis')) && node('slice').inputs.length === 4;
    return whole ? {} : held('the list is not cut from its start');
  },
  replace: (builder, place) =>
    emitRoot(
      builder,
      place,
      'Slice',
      ['table', 'first', 'length', 'axis'].map((name) => place.value(name)),
    ),
  fires: [sample('as many rows as there are tokens', () => positions())],
  holds: [
    sample('rows in another order', () => positions({ numbers: [7, 6, 5, 4, 3, 2, 1, 0] })),
    sample('fewer rows than the table has', () => positions({ numbers: [0, 1, 2, 3] })),
    sample('a later start', () => positions({ first: 1 })),
  ],
});
