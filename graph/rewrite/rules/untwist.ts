import { GraphBuilder } from '../../builder.ts';
import { multiplyDims, symbol } from '../../dim.ts';
import type { Graph, Value } from '../../graph.ts';
import { any, node } from '../pattern.ts';
import { defineRule, held } from '../rule.ts';
import { emitRoot, outputType, permOf, typeOf } from './shared.ts';

const sample = (perm: readonly number[], back: readonly number[]) => (): Graph => {
  const builder = new GraphBuilder('untwist');
  const x = builder.input('x', 'float32', [symbol('batch'), 2, symbol('sequence'), 4]);
  const size = (axis: number): Value => builder.op('Shape', [x], { start: axis, end: axis + 1 });
  const shape = (...sizes: readonly Value[]): Value => builder.op('Concat', sizes, { axis: 0 });
  const heads = builder.op('Mul', [size(0), builder.ints([2])]);
  const joined = builder.op('Reshape', [x, shape(heads, size(2), size(3))], { allowzero: 1 });
  const turned = builder.op('Transpose', [joined], { perm });
  const apart = shape(size(0), builder.ints(back), size(3), size(2));
  return builder.freeze([builder.op('Reshape', [turned, apart], { allowzero: 1 }, 'output')]);
};

/**
 * (a, b, m, n) to (a b, m, n), turned to (a b, n, m), and apart again to (a, b, n, m): one transposition, as which exporters
 * write the keys of scaled dot-product attention.
 */
export const untwist = defineRule<true>({
  name: 'untwist',
  pattern: node('Reshape', [
    node('Transpose', [node('Reshape', [any('x'), any('joined')], 'join')], 'turn'),
    any('apart'),
  ]),
  when: (place) => {
    const [before, between, after] = [
      typeOf(place.graph, place.value('x'))?.shape,
      outputType(place.graph, place.node('join'))?.shape,
      outputType(place.graph, place.root)?.shape,
    ];
    if (permOf(place.node('turn')) !== '0,2,1') return held('the transposition is another one');
    if (before?.length !== 4 || between?.length !== 3 || after?.length !== 4) return held('no two axes become one');
    const [a = 0, b = 0, m = 0, n = 0] = before;
    const joins = between.join() === [multiplyDims(a, b), m, n].join();
    return joins && after.join() === [a, b, n, m].join()
      ? true
      : held('the axes that are joined do not come apart again');
  },
  replace: (builder, place) => emitRoot(builder, place, 'Transpose', [place.value('x')], { perm: [0, 1, 3, 2] }),
  fires: [{ name: 'keys of attention', graph: sample([0, 2, 1], [2]) }],
  holds: [
    { name: 'another transposition', graph: sample([1, 2, 0], [2]) },
    { name: 'apart otherwise', graph: sample([0, 2, 1], [1, 2]) },
  ],
});
