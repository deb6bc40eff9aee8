import { stream } from '../../../data/random.ts';
import type { GraphBuilder } from '../../../graph/builder.ts';
import type { Value } from '../../../graph/graph.ts';
import { type Tensor, tensorOf } from '../../../graph/tensor.ts';
import { splitHeads } from '../../blocks.ts';
import { divided, kept } from '../features.ts';
import type { AttentionKind, Draw } from '../kind.ts';
import { widthOf } from '../pieces.ts';

/** Keeps features above zero where keys and queries point apart. */
const LEAST = 1e-6;

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

/** Directions at right angles to each other, as many as there are axes, and again; each as long as a normal vector is. */
const directions = (features: number, width: number, draw: Draw): Tensor => {
  const random = stream(draw.seed, 'attention', draw.layer);
  const normal = (): number[] => Array.from({ length: width }, () => random.normal());
  const rows: (readonly number[])[] = [];
  let block: (readonly number[])[] = [];
  while (rows.length < features) {
    if (block.length === width) block = [];
    const apart = block.reduce((x, y) => x.map((xi, i) => xi - dot(x, y) * (y[i] ?? 0)), normal());
    const unit = apart.map((x) => x / Math.hypot(...apart));
    block.push(unit);
    const length = Math.hypot(...normal());
    rows.push(unit.map((x) => x * length));
  }
  const numbers = Float32Array.from({ length: width * features }, (_, i) => {
    return rows[i % features]?.[Math.floor(i / features)] ?? 0;
  });
  return tensorOf('float32', [width, features], numbers);
};

/** exp(x W - |x|^2 / 2 + bias), divided by its largest over some axes, which cancels: (batch, heads, sequence, features). */
const positive = (builder: GraphBuilder, x: Value, matrix: Value, axes: readonly number[], bias?: Value): Value => {
  const square = builder.op('ReduceSum', [builder.op('Mul', [x, x]), builder.ints([3])], { keepdims: 1 });
  const half = builder.op('Mul', [square, builder.scalar('float32', 0.5)]);
  const powers = builder.op('Sub', [builder.op('MatMul', [x, matrix]), half]);
  const added = bias === undefined ? powers : builder.op('Add', [powers, bias]);
  const largest = builder.op('ReduceMax', [added, builder.ints(axes)], { keepdims: 1 });
  const features = builder.op('Exp', [builder.op('Sub', [added, largest])]);
  return builder.op('Add', [features, builder.scalar('float32', LEAST)]);
};

/** Softmax attention by positive random features (Choromanski et al. 2020, 2009.14794). */
export const performer: AttentionKind = {
  name: 'performer',
  summary: 'softmax estimated by random features, which are drawn by seed and train with the rest',
  settings: { features: 128 },
  scored: false,
  moves: 5,
  macs: ({ features }, { length, heads, headWidth }) => length * heads * features * (2 * headWidth + 2 * headWidth + 1),
  emit: (place, { features }, core) => {
    const { builder } = place;
    const { heads, scale } = core;
    const width = widthOf(place, core.query) / heads;
    const matrix = place.parameter('directions', () => directions(features, width, place.draw));
    const scaled = (x: Value): Value =>
      splitHeads(builder, builder.op('Mul', [x, builder.scalar('float32', Math.sqrt(scale))]), [heads, width]);
    const hidden = place.shared(`column ${core.bias}`, () =>
      builder.op('Transpose', [core.bias], { perm: [0, 1, 3, 2] }),
    );
    const keys = builder.op('Mul', [
      positive(builder, scaled(core.key), matrix, [2, 3], hidden),
      builder.op('Unsqueeze', [kept(place, core), builder.ints([1])]),
    ]);
    return divided(place, core, {
      queries: positive(builder, scaled(core.query), matrix, [3]),
      keys: builder.op('Transpose', [keys], { perm: [0, 1, 3, 2] }),
      values: splitHeads(builder, core.value, [heads, widthOf(place, core.value) / heads]),
    });
  },
};
