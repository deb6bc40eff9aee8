import { GraphBuilder } from '../../builder.ts';
import { symbol } from '../../dim.ts';
import type { Graph, Value } from '../../graph.ts';
import type { RuleSample } from '../rule.ts';

const heads = 2;
const width = 8;
const batch = symbol('batch');
const sequence = symbol('sequence');

interface Variant {
  readonly scale?: 'scores' | 'scores-over' | 'query' | 'both' | 'none';
  readonly mask?: 'product' | 'where-scores' | 'where-bias' | 'bias' | 'wide-bias' | 'other-condition' | 'none';
  readonly keyTurns?: 1 | 2;
  readonly axis?: number;
  readonly merge?: readonly number[];
  readonly leak?: boolean;
}

const padding = (builder: GraphBuilder, mask: Value): Value => {
  const wide = builder.op('Unsqueeze', [mask, builder.ints([1, 2])]);
  const kept = builder.op('Cast', [wide], { to: 1 });
  return builder.op('Mul', [builder.op('Sub', [builder.scalar('float32', 1), kept]), builder.scalar('float32', -1e9)]);
};

const masked = (builder: GraphBuilder, scores: Value, mask: Value, kind: Variant['mask']): Value => {
  const wide = (): Value => builder.op('Unsqueeze', [mask, builder.ints([1, 2])]);
  const dropped = (): Value => builder.op('Equal', [wide(), builder.scalar('int64', 0)]);
  switch (kind) {
    case 'none':
      return scores;
    case 'where-scores':
      return builder.op('Where', [dropped(), builder.scalar('float32', -1e9), scores]);
    case 'where-bias': {
      const bias = builder.op('Where', [dropped(), builder.scalar('float32', -1e9), builder.scalar('float32', 0)]);
      return builder.op('Add', [bias, scores]);
    }
    case 'bias':
      return builder.op('Add', [scores, builder.op('Cast', [wide()], { to: 1 })]);
    case 'wide-bias':
      return builder.op('Add', [builder.input('bias', 'float32', [batch, 1, sequence, sequence]), scores]);
    case 'other-condition': {
      const condition = builder.input('condition', 'bool', [batch, 1, sequence, sequence]);
      return builder.op('Where', [condition, scores, builder.scalar('float32', -1e9)]);
    }
    default:
      return builder.op('Add', [scores, padding(builder, mask)]);
  }
};

/** An attention core over three inputs, as exporters write it. */
const core = (variant: Variant): Graph => {
  const { scale = 'scores', mask: kind = 'product', keyTurns = 1, axis = -1, merge = [0, 2, 1, 3] } = variant;
  const builder = new GraphBuilder('attention');
  const shape = [batch, sequence, heads * width];
  const [query, key, value] = ['query', 'key', 'value'].map((name) => builder.input(name, 'float32', shape));
  const mask = builder.input('attention_mask', 'int64', shape.slice(0, 2));
  if (query === undefined || key === undefined || value === undefined) throw new Error('three inputs were made');
  const split = (x: Value, perm: readonly number[]): Value =>
    builder.op('Transpose', [builder.op('Reshape', [x, builder.ints([0, 0, heads, width])])], { perm });
  const number = (x: number): Value => builder.scalar('float32', x);
  const root = Math.sqrt(width);
  const early = scale === 'query' ? builder.op('Div', [query, number(root)]) : query;
  const shares = (x: Value): Value => (scale === 'both' ? builder.op('Mul', [x, number(1 / Math.sqrt(root))]) : x);
  const turned =
    keyTurns === 1
      ? split(key, [0, 2, 3, 1])
      : builder.op('Transpose', [split(key, [0, 2, 1, 3])], { perm: [0, 1, 3, 2] });
  const product = builder.op('MatMul', [shares(split(early, [0, 2, 1, 3])), shares(turned)]);
  const late =
    scale === 'scores'
      ? builder.op('Mul', [number(1 / root), product])
      : scale === 'scores-over'
        ? builder.op('Div', [product, number(root)])
        : product;
  const weights = builder.op('Softmax', [masked(builder, late, mask, kind)], { axis });
  const mixed = builder.op('MatMul', [weights, split(value, [0, 2, 1, 3])]);
  const together = builder.op('Transpose', [mixed], { perm: merge });
  const output = builder.op('Reshape', [together, builder.ints([0, 0, heads * width])], {}, 'output');
  return builder.freeze(variant.leak ? [output, weights] : [output]);
};

const sample = (name: string, variant: Variant): RuleSample => ({ name, graph: () => core(variant) });

export const attentionSamples = {
  fires: [
    sample('scale on the scores, mask as a product', {}),
    sample('scores divided, mask chosen', { scale: 'scores-over', mask: 'where-scores' }),
    sample('scale on the queries, bias chosen', { scale: 'query', mask: 'where-bias' }),
    sample('scale shared by queries and keys, keys turned twice', { scale: 'both', keyTurns: 2 }),
    sample('no mask, no scale', { scale: 'none', mask: 'none' }),
    sample('a bias over keys that is no mask', { mask: 'bias' }),
    sample('a bias over queries and keys', { mask: 'wide-bias' }),
  ],
  holds: [
    sample('softmax over queries', { axis: 2 }),
    sample('heads are not merged', { merge: [0, 1, 2, 3] }),
    sample('attention weights are an output', { leak: true }),
    sample('scores are chosen by no padding mask', { mask: 'other-condition' }),
  ],
} as const;
