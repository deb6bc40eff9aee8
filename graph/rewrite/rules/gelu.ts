import { GraphBuilder } from '../../builder.ts';
import { symbol } from '../../dim.ts';
import type { Graph, Value } from '../../graph.ts';
import { any, either, node, type Pattern, scalar } from '../pattern.ts';
import { defineRule, held, type RuleSample } from '../rule.ts';
import { emitRoot, near, numberIn } from './shared.ts';

const x = any('x');
const inner = either(node('Div', [x, scalar('root')]), node('Mul', [x, scalar('inverse')]));
/** 1 + erf(x / sqrt 2) */
const open = node('Add', [node('Erf', [inner]), scalar('one')]);
const half = (pattern: Pattern): Pattern =>
  either(node('Mul', [pattern, scalar('half')]), node('Div', [pattern, scalar('two')]));

/** Numbers of the formula by the name that the pattern gives them. */
const expected: Readonly<Record<string, number>> = {
  root: Math.SQRT2,
  inverse: Math.SQRT1_2,
  one: 1,
  half: 0.5,
  two: 2,
};

const decomposed = (numbers: { readonly half: number; readonly order: 'outer' | 'inner' | 'first' }): Graph => {
  const builder = new GraphBuilder('gelu');
  const value = builder.input('x', 'float32', [symbol('batch'), 8]);
  const number = (n: number): Value => builder.scalar('float32', n);
  const erf = builder.op('Erf', [builder.op('Div', [value, number(Math.SQRT2)])]);
  const gate = builder.op('Add', [number(1), erf]);
  const halved = (v: Value): Value => builder.op('Mul', [v, number(numbers.half)]);
  const product =
    numbers.order === 'outer'
      ? halved(builder.op('Mul', [value, gate]))
      : numbers.order === 'inner'
        ? builder.op('Mul', [value, halved(gate)])
        : builder.op('Mul', [halved(value), gate]);
  return builder.freeze([product]);
};
const sample = (name: string, graph: () => Graph): RuleSample => ({ name, graph });

const geluRule = (name: string, pattern: Pattern, order: 'outer' | 'inner' | 'first') =>
  defineRule({
    name,
    pattern,
    when: ({ graph, values }) => {
      const wrong = [...values].find(([role, v]) => {
        const number = expected[role];
        return number !== undefined && !near(numberIn(graph, v), number);
      });
      if (wrong !== undefined) return held(`${wrong[0]} is another number`);
      return (graph.opsets[''] ?? 0) >= 20 ? {} : held('Gelu came with operator set 20');
    },
    replace: (builder, place) => emitRoot(builder, place, 'Gelu', [place.value('x')]),
    fires: [sample('the exact formula', () => decomposed({ half: 0.5, order }))],
    holds: [sample('another factor', () => decomposed({ half: 0.25, order }))],
  });

/** 0.5 x (1 + erf(x / sqrt 2)) (Hendrycks and Gimpel 2016, 1606.08415) as one Gelu, in the three orders it is written. */
export const gelu = [
  geluRule('gelu', node('Mul', [node('Mul', [x, open]), scalar('half')]), 'outer'),
  geluRule('gelu-gate', node('Mul', [x, half(open)]), 'inner'),
  geluRule('gelu-first', node('Mul', [half(x), open]), 'first'),
];
