import type { Value } from '../../graph.ts';
import type { Emit } from '../../op.ts';
import { reshapeLike } from '../../ops/shared-emit.ts';
import { blankFor, blocksOf, type Grid, type Layout, levelsOf, type Rounded } from '../grid.ts';
import type { FixedPoint } from '../range.ts';
import { emitFake, emitPeaks, emitRanges, emitSpan, type Fake, type Rules, type Steps } from './emit.ts';

/** How a matrix will be stored, and so is seen while it is trained. */
export type FakeWeight =
  | { readonly form: 'blocks'; readonly layout: Layout; readonly grid: Grid }
  /** Signed bytes up to a limit, with a step for all numbers along an axis; and how what it multiplies is rounded, where it is. */
  | { readonly form: 'bytes'; readonly limit: number; readonly along: 0 | 1; readonly input?: FakeInput };

/** How activations are rounded: in steps that are known before, or of all that a batch holds. */
export type FakeInput = FixedPoint | 'as it runs';

/** Sizes of a matrix seen as blocks, the axis of a block's numbers, and how many numbers fill the last one up. */
interface View {
  readonly dims: readonly number[];
  readonly axis: 1 | 2;
  readonly missing: number;
}

const viewOf = ([first = 0, second = 0]: readonly number[], layout: Layout, grid: Grid): View => {
  const [rows, width] = layout === 'turned' ? [second, first] : [first, second];
  const blocks = blocksOf(width, grid);
  const missing = blocks * grid.block - width;
  return layout === 'turned'
    ? { dims: [blocks, grid.block, rows], axis: 1, missing }
    : { dims: [rows, blocks, grid.block], axis: 2, missing };
};

/** Zeros behind the last numbers along an axis. */
const filled = (emit: Emit, w: Value, axis: 0 | 1, missing: number): Value =>
  missing === 0 ? w : emit.op('Pad', [w, emit.ints(axis === 0 ? [0, 0, missing, 0] : [0, 0, 0, missing])]);

/** The first numbers along an axis. */
const cut = (emit: Emit, y: Value, axis: 0 | 1, size: number, missing: number): Value =>
  missing === 0 ? y : emit.op('Slice', [y, emit.ints([0]), emit.ints([size]), emit.ints([axis])]);

/** What an emission of fake weights needs beside the weight. */
export interface Emission {
  readonly emit: Emit;
  readonly rules: Rules;
}

/** A matrix as it will be stored, in place of the matrix. */
export const emitFakeWeight = (emission: Emission, w: Value, dims: readonly number[], weight: FakeWeight): Fake => {
  const { emit, rules } = emission;
  if (weight.form === 'bytes') {
    const steps = emitPeaks(emit, w, weight.along, weight.limit, rules);
    return emitFake(emit, w, steps, [-weight.limit, weight.limit], rules);
  }
  const { layout, grid } = weight;
  const view = viewOf(dims, layout, grid);
  const axis = layout === 'turned' ? 0 : 1;
  const { missing } = view;
  const x = emit.op('Reshape', [filled(emit, w, axis, missing), emit.ints(view.dims)]);
  const fake = emitFake(emit, x, emitRanges(emit, x, view.axis, grid, rules), [0, levelsOf(grid) - 1], rules);
  const whole = emit.op('Reshape', [
    fake.value,
    emit.ints(dims.map((size, i) => (i === axis ? size + missing : size))),
  ]);
  return { ...fake, value: cut(emit, whole, axis, dims[axis] ?? 0, missing) };
};

/** The table that rows were looked up in, and by which numbers. */
export interface Lookup {
  readonly table: Value;
  readonly dims: readonly number[];
  readonly ids: Value;
}

/** Rows of a table as they will be stored: only those that are looked up are computed. */
export const emitFakeRows = (emission: Emission, found: Value, lookup: Lookup, weight: FakeWeight): Value => {
  const { emit, rules } = emission;
  if (weight.form === 'bytes') {
    const steps = emitPeaks(emit, lookup.table, weight.along, weight.limit, rules);
    return emitFake(emit, found, steps, [-weight.limit, weight.limit], rules).value;
  }
  const { grid } = weight;
  const view = viewOf(lookup.dims, 'as it is', grid);
  const [, width = 0] = lookup.dims;
  const [, blocks = 0] = view.dims;
  // (rows, width), (rows, blocks, block)
  const flat = emit.op('Reshape', [found, emit.ints([-1, width])]);
  const x = emit.op('Reshape', [filled(emit, flat, 1, view.missing), emit.ints([-1, blocks, grid.block])]);
  const fake = emitFake(emit, x, emitRanges(emit, x, view.axis, grid, rules), [0, levelsOf(grid) - 1], rules);
  const whole = emit.op('Reshape', [fake.value, emit.ints([-1, blocks * grid.block])]);
  return reshapeLike(emit, cut(emit, whole, 1, width, view.missing), found);
};

/** An activation as 8 bits keep it. */
export const emitFakeInput = ({ emit, rules }: Emission, x: Value, input: FakeInput): Value => {
  const known = (steps: FixedPoint): Steps => ({
    scales: emit.scalar('float32', steps.step),
    zeros: emit.scalar('float32', steps.zero),
  });
  const steps = input === 'as it runs' ? emitSpan(emit, x, rules) : known(input);
  return emitFake(emit, x, steps, [0, 255], rules).value;
};

/** What blocks came to in the order of a view, as whole numbers, scales and zero points by row. */
export const roundedOf = (
  dims: readonly number[],
  { layout, grid }: { readonly layout: Layout; readonly grid: Grid },
  found: { readonly codes: ArrayLike<number>; readonly scales: ArrayLike<number>; readonly zeros: ArrayLike<number> },
): Rounded => {
  const [first = 0, second = 0] = dims;
  const isTurned = layout === 'turned';
  const [rows, width] = isTurned ? [second, first] : [first, second];
  const blocks = blocksOf(width, grid);
  const rounded = blankFor({ rows, width }, grid);
  const only = found.zeros.length === 1;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) {
      const at = isTurned ? i * rows + row : row * blocks * grid.block + i;
      rounded.codes[row * width + i] = found.codes[at] as number;
    }
    for (let block = 0; block < blocks; block++) {
      const at = isTurned ? block * rows + row : row * blocks + block;
      rounded.scales[row * blocks + block] = found.scales[at] as number;
      rounded.zeros[row * blocks + block] = found.zeros[only ? 0 : at] as number;
    }
  }
  return rounded;
};
