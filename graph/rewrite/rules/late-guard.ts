import { GraphBuilder } from '../../builder.ts';
import { symbol } from '../../dim.ts';
import { type Graph, indexOf, type Value, value } from '../../graph.ts';
import { any, node, type Pattern, scalar } from '../pattern.ts';
import { type AnyRule, defineRule, held } from '../rule.ts';
import { intOf, numberIn } from './shared.ts';

/** Another number where a value is none. */
const guarded = (builder: GraphBuilder, x: Value, zero: Value, name?: string): Value =>
  builder.op('Where', [builder.op('IsNaN', [x]), zero, x], {}, name);

const guard: Pattern = node('Where', [node('IsNaN', [any('x')]), scalar('zero'), any('x')]);

const sample = (axis: number, choice: 'Softmax' | 'Relu') => (): Graph => {
  const builder = new GraphBuilder('guard');
  const [batch, sequence] = [symbol('batch'), symbol('sequence')];
  const scores = builder.input('scores', 'float32', [batch, 2, sequence, sequence]);
  const values = builder.input('values', 'float32', [batch, 2, sequence, 4]);
  const shares = choice === 'Softmax' ? builder.op('Softmax', [scores], { axis }) : builder.op('Relu', [scores]);
  const safe = guarded(builder, shares, builder.scalar('float32', 0));
  return builder.freeze([builder.op('MatMul', [safe, values], {}, 'output')]);
};

/** Rows of shares are no numbers as a whole or not at all: what they weigh is none in the same rows. */
const behindProduct = defineRule<true>({
  name: 'late-guard',
  pattern: node('MatMul', [guard, any('values')]),
  when: (place) => {
    const { graph } = place;
    const softmax = indexOf(graph).producer.get(place.value('x'));
    if (softmax?.op !== 'Softmax' || ![-1, 3].includes(intOf(softmax, 'axis', -1)))
      return held('it guards no rows of shares');
    return numberIn(graph, place.value('zero')) === 0 ? true : held('what stands for no number is not zero');
  },
  replace: (builder, place, _, output) => {
    const mixed = builder.op('MatMul', [place.value('x'), place.value('values')]);
    return guarded(builder, mixed, place.value('zero'), output);
  },
  fires: [{ name: 'shares of attention', graph: sample(-1, 'Softmax') }],
  holds: [
    { name: 'shares of columns', graph: sample(2, 'Softmax') },
    { name: 'no shares', graph: sample(-1, 'Relu') },
  ],
});

const moved = (op: 'Transpose' | 'Reshape') => (): Graph => {
  const builder = new GraphBuilder('guard');
  const x = builder.input('x', 'float32', [symbol('batch'), 2, 3, 4]);
  const safe = guarded(builder, builder.op('Sqrt', [x]), builder.scalar('float32', 0));
  const output =
    op === 'Transpose'
      ? builder.op(op, [safe], { perm: [0, 2, 1, 3] }, 'output')
      : builder.op(op, [safe, builder.ints([0, 2, 12])], {}, 'output');
  return builder.freeze([output]);
};

const kept = (): Graph => {
  const builder = new GraphBuilder('guard');
  const x = builder.input('x', 'float32', [2, 3]);
  const safe = guarded(builder, x, builder.scalar('float32', 0));
  return builder.freeze([safe, builder.op('Transpose', [safe], { perm: [1, 0] })]);
};

/** Elements keep their guard wherever they are moved. */
const behindMove = (op: 'Transpose' | 'Reshape'): AnyRule =>
  defineRule<true>({
    name: `late-guard-${op.toLowerCase()}`,
    pattern: node(op, op === 'Reshape' ? [guard, any('shape')] : [guard]),
    when: () => true,
    replace: (builder, place, _, output) => {
      const { root } = place;
      const unguarded = value(`${output}/unguarded`);
      const inputs = [place.value('x'), ...root.inputs.slice(1)];
      builder.add({ ...root, name: unguarded, inputs, outputs: [unguarded] }, () => place.graph.types.get(output));
      return guarded(builder, unguarded, place.value('zero'), output);
    },
    fires: [{ name: 'moved', graph: moved(op) }],
    holds: [{ name: 'read elsewhere', graph: kept }],
  });

/**
 * Exporters put zeros where a text without a token has no shares. Behind the product the same zeros are fewer, and the
 * attention in front of them is one that can be fused.
 */
export const lateGuard: readonly AnyRule[] = [behindProduct, behindMove('Transpose'), behindMove('Reshape')];
