import { GraphBuilder } from '../../builder.ts';
import { symbol } from '../../dim.ts';
import type { Graph, Value } from '../../graph.ts';
import { vector } from '../../tensor.ts';

interface Variant {
  readonly width?: number;
  /** Heads come split, from no reshape. */
  readonly split?: boolean;
  readonly signs?: 'first' | 'none';
  readonly angles?: 'twice' | 'of each number';
  readonly swaps?: boolean;
}

const heads = 2;

/** Two things turned by the same angles of each position. */
const turning =
  ({ width = 8, split = false, signs = 'first', angles = 'twice', swaps = true }: Variant = {}) =>
  (): Graph => {
    const builder = new GraphBuilder('rotary');
    const [batch, sequence] = [symbol('batch'), symbol('sequence')];
    const places = builder.input('positions', 'float32', [batch, sequence]);
    const numbers = Array.from({ length: width }, (_, i) => 0.5 ** (angles === 'twice' ? i % (width / 2) : i));
    const wide = builder.op('Unsqueeze', [places, builder.ints([2, 3])]);
    const turns = builder.op('Mul', [wide, builder.constant(vector('float32', numbers))]);
    const sign = numbers.map((_, i) => (signs === 'first' && i < width / 2 ? -1 : 1));
    const sine = builder.op('Mul', [builder.op('Sin', [turns]), builder.constant(vector('float32', sign))]);
    const cosine = builder.op('Cos', [turns]);
    const turned = (name: string): Value => {
      const shape = [batch, sequence, ...(split ? [heads, width] : [heads * width])];
      const given = builder.input(name, 'float32', shape);
      const x = split ? given : builder.op('Reshape', [given, builder.ints([0, 0, heads, width])]);
      const halves = builder.ops('Split', [x], 2, { axis: -1, num_outputs: 2 });
      const other = builder.op('Concat', swaps ? halves.toReversed() : halves, { axis: -1 });
      return builder.op('Add', [builder.op('Mul', [x, cosine]), builder.op('Mul', [sine, other])]);
    };
    return builder.freeze([turned('query'), turned('key')]);
  };

export const rotarySamples = {
  fires: [
    { name: 'heads side by side', graph: turning() },
    { name: 'heads apart', graph: turning({ split: true, width: 16 }) },
  ],
  holds: [
    { name: 'a width that no kernel takes', graph: turning({ width: 6 }) },
    { name: 'the same sign on both halves', graph: turning({ signs: 'none' }) },
    { name: 'an angle of its own for each number', graph: turning({ angles: 'of each number' }) },
    { name: 'halves in their own order', graph: turning({ swaps: false }) },
  ],
};
