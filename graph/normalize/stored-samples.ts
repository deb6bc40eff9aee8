import { GraphBuilder } from '../builder.ts';
import { symbol } from '../dim.ts';
import type { Graph, Value } from '../graph.ts';
import type { AttributeInput } from '../op.ts';
import { elementCount, type Tensor, tensorOf, vector } from '../tensor.ts';
import type { PassSample } from './pass.ts';

const opsets = { '': 21, 'com.microsoft': 1 };
const ROWS = 9;
const WIDTH = 32;
const BLOCK = 16;

/** Every byte once in a while: both halves, both signs. */
const someBytes = (count: number) => Uint8Array.from({ length: count }, (_, i) => (i * 89 + 7) % 256);
const steps = (...dims: readonly number[]): Tensor =>
  vector(
    'float32',
    Array.from({ length: elementCount(dims) }, (_, i) => 0.02 + 0.01 * (i % 7)),
    dims,
  );
const nibbles = (dtype: 'int4' | 'uint4', ...dims: readonly number[]): Tensor =>
  tensorOf(dtype, dims, someBytes(Math.ceil(elementCount(dims) / 2)));
const int8 = (...dims: readonly number[]): Tensor =>
  tensorOf('int8', dims, new Int8Array(someBytes(elementCount(dims)).buffer));
const uint8 = (...dims: readonly number[]): Tensor => tensorOf('uint8', dims, someBytes(elementCount(dims)));

/** x W, W of two rows kept in few bits. */
const matrix =
  (attrs: AttributeInput, integers: Tensor, scale: Tensor, zeros?: Tensor): (() => Graph) =>
  () => {
    const builder = new GraphBuilder('stored', opsets);
    const x = builder.input('x', 'float32', [symbol('batch'), 2]);
    const zero = zeros === undefined ? [] : [builder.weight('zeros', zeros)];
    const kept = [builder.weight('integers', integers), builder.weight('steps', scale), ...zero];
    return builder.freeze([builder.op('MatMul', [x, builder.op('DequantizeLinear', kept, attrs)], {}, 'y')]);
  };

/** Rows of a table by ids, (batch, sequence, width). */
const rows =
  (make: (builder: GraphBuilder, ids: Value) => Value): (() => Graph) =>
  () => {
    const builder = new GraphBuilder('table', opsets);
    const ids = builder.input('ids', 'int64', [symbol('batch'), symbol('sequence')]);
    return builder.freeze([builder.op('Identity', [make(builder, ids)], {}, 'y')]);
  };

const gathered = (attrs: AttributeInput, scale: Tensor, zeros?: Tensor): (() => Graph) =>
  rows((builder, ids) => {
    const found = builder.op('Gather', [builder.weight('table', int8(ROWS, WIDTH)), ids]);
    const zero = zeros === undefined ? [] : [builder.weight('zeros', zeros)];
    return builder.op('DequantizeLinear', [found, builder.weight('steps', scale), ...zero], attrs);
  });

const gatheredBlocks = rows((builder, ids) => {
  const read = (name: string, tensor: Tensor): Value => builder.op('Gather', [builder.weight(name, tensor), ids]);
  const [blocks, zeros] = [read('steps', steps(ROWS, 2)), read('zeros', int8(ROWS, 2))];
  const found = read('table', int8(ROWS, WIDTH));
  return builder.op('DequantizeLinear', [found, blocks, zeros], { axis: -1, block_size: BLOCK });
});

const beforeRows = rows((builder, ids) => {
  const kept = [builder.weight('table', nibbles('uint4', ROWS, WIDTH)), builder.weight('steps', steps(ROWS))];
  return builder.op('Gather', [builder.op('DequantizeLinear', kept, { axis: 0 }), ids]);
});

const blockTable = (attrs: AttributeInput, integers: Tensor, scale: Tensor, zeros?: Tensor): (() => Graph) =>
  rows((builder, ids) => {
    const zero = zeros === undefined ? [] : [builder.weight('zeros', zeros)];
    const kept = [builder.weight('table', integers), ids, builder.weight('steps', scale), ...zero];
    return builder.op('com.microsoft:GatherBlockQuantized', kept, { block_size: BLOCK, ...attrs });
  });

const half = WIDTH / 2;

const tables: readonly PassSample[] = [
  { name: 'a table whose rows are read before they are floats', graph: gathered({}, vector('float32', [0.1], [])) },
  { name: 'such a table with a step a column', graph: gathered({ axis: -1 }, steps(WIDTH), int8(WIDTH)) },
  { name: 'such a table whose last axis is counted from the front', graph: gathered({ axis: 2 }, steps(WIDTH)) },
  { name: 'a table whose rows are read with those of its steps', graph: gatheredBlocks },
  { name: 'a table in 4 bits whose rows are read as floats', graph: beforeRows },
  {
    name: 'a table in blocks of 4 bits with zero points',
    graph: blockTable({}, nibbles('uint4', ROWS, WIDTH), steps(ROWS, 2), nibbles('uint4', ROWS, 2)),
  },
  { name: 'a table in blocks of 4 bits without', graph: blockTable({}, nibbles('uint4', ROWS, WIDTH), steps(ROWS, 2)) },
  { name: 'a table in blocks of signed 4 bits', graph: blockTable({}, nibbles('int4', ROWS, WIDTH), steps(ROWS, 2)) },
  {
    name: 'a table in blocks along the columns that are read',
    graph: blockTable({ gather_axis: 1, quantize_axis: 0 }, nibbles('int4', WIDTH, ROWS), steps(2, ROWS)),
  },
  { name: 'a table of two numbers a byte', graph: blockTable({ bits: 4 }, uint8(ROWS, half), steps(ROWS, 2)) },
  {
    name: 'a table of two numbers a byte with zero points, of an odd number of blocks',
    graph: blockTable({ bits: 4 }, uint8(ROWS, half + BLOCK / 2), steps(ROWS, 3), uint8(ROWS, 2)),
  },
  { name: 'a table in blocks of 8 bits', graph: blockTable({ bits: 8 }, uint8(ROWS, WIDTH), steps(ROWS, 2)) },
];

/** Graphs that only store in few bits. */
export const storedBefore: readonly PassSample[] = [
  { name: 'one step', graph: matrix({}, int8(2, 3), vector('float32', [0.1], [])) },
  {
    name: 'a step and a zero point a column',
    graph: matrix(
      { axis: -1 },
      int8(2, 3),
      vector('float32', [0.1, 3, 0.7]),
      tensorOf('int8', [3], Int8Array.of(1, -2, 3)),
    ),
  },
  {
    name: 'a step for every two rows',
    graph: matrix({ axis: 0, block_size: 2 }, int8(2, 3), vector('float32', [0.1, 3, 0.7], [1, 3])),
  },
  { name: 'signed 4 bits, an odd number of them', graph: matrix({}, nibbles('int4', 2, 3), steps(3)) },
  {
    name: '4 bits with a zero point a column',
    graph: matrix({}, nibbles('uint4', 2, 5), steps(5), nibbles('uint4', 5)),
  },
  {
    name: '4 bits with a step and a zero point for every two rows',
    graph: matrix({ axis: 0, block_size: 2 }, nibbles('uint4', 2, 3), steps(1, 3), nibbles('uint4', 1, 3)),
  },
  ...tables,
];

const rounding = (): Graph => {
  const builder = new GraphBuilder('rounding');
  const x = builder.input('x', 'float32', [symbol('batch'), 2]);
  const [step, zero] = [builder.scalar('float32', 0.1), builder.scalar('int8', 0)];
  const rounded = builder.op('DequantizeLinear', [builder.op('QuantizeLinear', [x, step, zero]), step, zero]);
  const weight = builder.weight('integers', tensorOf('int8', [2, 1], Int8Array.of(3, -4)));
  return builder.freeze([
    builder.op('MatMul', [rounded, builder.op('DequantizeLinear', [weight, step, zero])], {}, 'y'),
  ]);
};

/** Rows that are numbers in 8 bits to somebody else, too. */
const readTwice = (): Graph => {
  const builder = new GraphBuilder('twice', opsets);
  const ids = builder.input('ids', 'int64', [symbol('batch')]);
  const found = builder.op('Gather', [builder.weight('table', int8(ROWS, 2)), ids]);
  const floats = builder.op('DequantizeLinear', [found, builder.weight('step', vector('float32', [0.1], []))]);
  return builder.freeze([builder.op('Add', [floats, builder.op('Cast', [found], { to: 1 })], {}, 'y')]);
};

/** A product of com.microsoft in 4 bits: such a file was quantized, whatever its table is. */
const productInBlocks = (): Graph => {
  const builder = new GraphBuilder('product', opsets);
  const ids = builder.input('ids', 'int64', [symbol('batch')]);
  const kept = [builder.weight('table', nibbles('uint4', ROWS, WIDTH)), ids, builder.weight('steps', steps(ROWS, 2))];
  const x = builder.op('com.microsoft:GatherBlockQuantized', kept, { block_size: BLOCK });
  const matrixOf = [builder.weight('matrix', uint8(3, 2, BLOCK / 2)), builder.weight('scales', steps(6))];
  const attrs = { K: WIDTH, N: 3, bits: 4, block_size: BLOCK };
  return builder.freeze([builder.op('com.microsoft:MatMulNBits', [x, ...matrixOf], attrs, 'y')]);
};

/** Graphs that stay as they are. */
export const storedLeft: readonly PassSample[] = [
  { name: 'activations that are rounded, too', graph: rounding },
  { name: 'rows that something else reads as well', graph: readTwice },
  { name: 'a table beside a product in few bits', graph: productInBlocks },
];
