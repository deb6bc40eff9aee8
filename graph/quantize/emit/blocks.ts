import type { GraphBuilder } from '../../builder.ts';
import type { Node, Value } from '../../graph.ts';
import type { Tensor } from '../../tensor.ts';
import type { Packed } from '../pack.ts';

/** What one emission of blocks shares: a matrix that two nodes read is stored once. */
export interface BlockEmission {
  readonly builder: GraphBuilder;
  readonly stored: Map<string, Value>;
  /** How exactly products read activations, as the operator counts it; left out where they stay floats. */
  readonly level?: number | undefined;
}

/** At this level activations are rounded to 8 bits, a scale a row and block: ONNX Runtime, ContribOperators.md, MatMulNBits. */
export const EIGHT_BITS = 4;

const once = ({ builder, stored }: BlockEmission, name: string, make: () => Tensor): Value => {
  const known = stored.get(name);
  if (known !== undefined) return known;
  const own = builder.weight(name, make());
  stored.set(name, own);
  return own;
};

/** Rows for one node, and whether look-ups and products read the same ones. */
interface Shared extends Packed {
  readonly isShared: boolean;
}

const reshaped = (tensor: Tensor, dims: readonly number[]): Tensor => ({ ...tensor, dims });

const settingsOf = (emission: BlockEmission, name: Value, { scales, zeros }: Packed): readonly Value[] => [
  once(emission, `${name}_scales`, () => scales),
  ...(zeros === undefined ? [] : [once(emission, `${name}_zero_points`, () => zeros)]),
];

/** Bytes of a table, (rows, bytes). */
const rowsAs = (emission: BlockEmission, name: Value, { codes }: Packed): Value =>
  once(emission, `${name}_blocks`, () => codes);

/** x W + bias with W in blocks of its inputs; a session makes the shape of a table that of the product when it loads. */
export const emitProduct = (emission: BlockEmission, node: Node, name: Value, packed: Shared): void => {
  const { builder } = emission;
  const [x] = node.inputs;
  const [output] = node.outputs;
  if (!x || output === undefined) throw new Error(`'${node.name}' lacks an input or an output`);
  const { rows, width, grid, codes } = packed;
  const blocks = Math.ceil(width / grid.block);
  const bytes = (codes.dims[1] as number) / blocks;
  const dims = [rows, blocks, bytes] as const;
  const attrs = { K: width, N: rows, bits: grid.bits, block_size: grid.block, accuracy_level: emission.level };
  const bias = node.inputs[2] ?? undefined;
  builder.within(output, () => {
    const matrix = packed.isShared
      ? builder.op('Reshape', [rowsAs(emission, name, packed), builder.ints(dims)])
      : once(emission, `${name}_blocks`, () => reshaped(codes, dims));
    const inputs = [x, matrix, ...settingsOf(emission, name, packed)];
    const product = builder.op('com.microsoft:MatMulNBits', inputs, attrs, bias === undefined ? output : undefined);
    if (bias !== undefined) builder.op('Add', [product, bias], {}, output);
  });
};

/** Rows of a table in blocks of its width. */
export const emitRows = (emission: BlockEmission, node: Node, name: Value, packed: Packed): void => {
  const { builder } = emission;
  const [, ids] = node.inputs;
  const [output] = node.outputs;
  if (!ids || output === undefined) throw new Error(`'${node.name}' lacks an input or an output`);
  const { grid } = packed;
  const table = rowsAs(emission, name, packed);
  const [scales, ...zeros] = settingsOf(emission, name, packed);
  if (scales === undefined) throw new Error('blocks have scales');
  const attrs = { bits: grid.bits, block_size: grid.block, gather_axis: 0, quantize_axis: 1 };
  builder.within(output, () =>
    builder.op('com.microsoft:GatherBlockQuantized', [table, ids, scales, ...zeros], attrs, output),
  );
};
