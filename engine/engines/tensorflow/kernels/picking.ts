import { intAttr, normalizeAxis, stridesOf, stringAttr } from '../../../../graph/ops/shared-structure.ts';
import type { Kernel, Kernels, Work } from '../kernel.ts';
import type { Library, Tensor, Tensor1D } from '../library.ts';

const axisOf = ({ call, x }: Work, fallback: number): number =>
  normalizeAxis(call, intAttr(call.node, 'axis', fallback), x(0).rank);

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** Indices counted from the front: one from the end would be refused, or read somewhere else. */
const counted = (tf: Library, ids: Tensor, size: number): Tensor =>
  tf.add(ids, tf.mul(tf.cast(tf.less(ids, 0), 'int32'), tf.scalar(size, 'int32')));

/** Look-ups of bool go through integers, which every device takes. */
const rowsOf = (tf: Library, x: Tensor, ids: Tensor, axis: number): Tensor =>
  x.dtype === 'bool' ? tf.cast(tf.gather(tf.cast(x, 'int32'), ids, axis), 'bool') : tf.gather(x, ids, axis);

const gather: Kernel = (work) => {
  const { tf, x } = work;
  const axis = axisOf(work, 0);
  const size = x(0).shape[axis] ?? 0;
  const known = work.fixed(1)?.map((id) => (id < 0 ? id + size : id));
  const ids = known === undefined ? counted(tf, x(1), size) : tf.tensor(known, x(1).shape, 'int32');
  return rowsOf(tf, x(0), ids, axis);
};

/** An index counted from the front. Beyond its axis, a place in a flattened value would be somewhere else in it. */
const within = (id: number, size: number): number => {
  if (id < -size || id >= size) throw new RangeError(`index ${id} is outside of an axis of size ${size}`);
  return id < 0 ? id + size : id;
};

/** Where each element of input 1 lies in input 0, written in one row: the index along one axis, its own place along the others. */
const placesAlong = ({ tf, x, numbers }: Work, axis: number): Tensor1D => {
  const [strides, inner] = [stridesOf(x(0).shape), stridesOf(x(1).shape)];
  const places = Int32Array.from(numbers(1) ?? [], (id, flat) =>
    x(1).shape.reduce((sum, size, i) => {
      const own = Math.floor(flat / (inner[i] ?? 1)) % size;
      return sum + (i === axis ? within(id, x(0).shape[axis] ?? 0) : own) * (strides[i] ?? 1);
    }, 0),
  );
  return tf.tensor1d(places, 'int32');
};

const gatherElements: Kernel = (work) => {
  const { tf, x } = work;
  const places = placesAlong(work, axisOf(work, 0));
  return tf.reshape(rowsOf(tf, tf.reshape(x(0), [-1]), places, 0), x(1).shape);
};

/**
 * Index tuples of input 1 as row numbers of input 0 with its leading axes in one, batch axes included. The host reads them:
 * the JavaScript backend looks elsewhere for tuples that count from the end.
 */
const placesOf = ({ tf, x, numbers }: Work, batches = 0): Tensor1D => {
  const { shape } = x(0);
  const depth = x(1).shape.at(-1) ?? 0;
  const tuples = product(x(1).shape.slice(0, -1));
  const each = tuples / Math.max(1, product(shape.slice(0, batches)));
  const ids = numbers(1) ?? [];
  const places = Int32Array.from({ length: tuples }, (_, tuple) => {
    const parts = ids.slice(tuple * depth, (tuple + 1) * depth);
    return parts.reduce(
      (sum, id, i) => {
        const size = shape[batches + i] ?? 1;
        return sum * size + within(id, size);
      },
      Math.floor(tuple / each),
    );
  });
  return tf.tensor1d(places, 'int32');
};

const gatherND: Kernel = (work) => {
  const { tf, call, x } = work;
  const [data, ids] = [x(0), x(1)];
  const batches = intAttr(call.node, 'batch_dims', 0);
  const leading = batches + (ids.shape.at(-1) ?? 0);
  const rest = data.shape.slice(leading);
  const rows = tf.reshape(data, [product(data.shape.slice(0, leading)), product(rest)]);
  const picked = rowsOf(tf, rows, placesOf(work, batches), 0);
  return tf.reshape(picked, [...ids.shape.slice(0, -1), ...rest]);
};

/** Rows (n, width) with others in their places, or added to them. Repeated rows are added in the order of their numbers. */
const scattered = (work: Work, rows: Tensor, places: Tensor1D, updates: Tensor): Tensor => {
  const { tf, call } = work;
  const reduction = stringAttr(call.node, 'reduction', 'none');
  const at = tf.reshape(places, [-1, 1]);
  // Sums by segment would look at every update once for each row on the JavaScript backend.
  if (reduction === 'add') return tf.add(rows, tf.scatterND(at, updates, rows.shape));
  if (reduction !== 'none') throw new TypeError(`has no kernel for the reduction '${reduction}'`);
  return tf.tensorScatterUpdate(rows, at, updates);
};

const scatterElements: Kernel = (work) => {
  const { tf, x } = work;
  const places = placesAlong(work, axisOf(work, 0));
  const [data, updates] = [tf.reshape(x(0), [-1]), tf.reshape(x(2), [-1])];
  return tf.reshape(scattered(work, data, places, updates), x(0).shape);
};

const scatterND: Kernel = (work) => {
  const { tf, x } = work;
  const leading = x(1).shape.at(-1) ?? 0;
  const width = product(x(0).shape.slice(leading));
  const places = placesOf(work);
  const rows = tf.reshape(x(0), [product(x(0).shape.slice(0, leading)), width]);
  return tf.reshape(scattered(work, rows, places, tf.reshape(x(2), [-1, width])), x(0).shape);
};

/** on where an index is the number of its place along the new axis, else off. */
const oneHot: Kernel = ({ tf, call, x, numbers }) => {
  const [depth = 0] = numbers(1) ?? [];
  const axis = normalizeAxis(call, intAttr(call.node, 'axis', -1), x(0).rank + 1);
  const ids = tf.expandDims(counted(tf, tf.cast(x(0), 'int32'), depth), axis);
  const places = tf.reshape(
    tf.range(0, depth, 1, 'int32'),
    ids.shape.map((_, i) => (i === axis ? depth : 1)),
  );
  const [off, on] = tf.unstack(x(2));
  if (off === undefined || on === undefined) throw new TypeError('expected two values');
  return tf.where(tf.equal(ids, places), on, off);
};

/** Where the first largest element stands, or the last one. */
const argOf =
  (f: (tf: Library, x: Tensor, axis: number) => Tensor): Kernel =>
  (work) => {
    const { tf, call, x } = work;
    const axis = axisOf(work, 0);
    const fromEnd = intAttr(call.node, 'select_last_index', 0) === 1;
    const place = f(tf, fromEnd ? tf.reverse(x(0), axis) : x(0), axis);
    const index = fromEnd ? tf.sub(tf.scalar((x(0).shape[axis] ?? 1) - 1, 'int32'), place) : place;
    return intAttr(call.node, 'keepdims', 1) === 1 ? tf.expandDims(index, axis) : index;
  };

/** Axes with one and the last exchanged. */
const exchanged = (rank: number, axis: number): number[] =>
  Array.from({ length: rank }, (_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));

const topK: Kernel = (work) => {
  const { tf, call, x, numbers } = work;
  const axis = axisOf(work, -1);
  const [k = 1] = numbers(1) ?? [];
  const isLargest = intAttr(call.node, 'largest', 1) === 1;
  const turned = tf.transpose(isLargest ? x(0) : tf.neg(x(0)), exchanged(x(0).rank, axis));
  const { values, indices } = tf.topk(turned, k, true);
  const back = (tensor: Tensor): Tensor => tf.transpose(tensor, exchanged(x(0).rank, axis));
  return [isLargest ? back(values) : tf.neg(back(values)), back(indices)];
};

const cumSum: Kernel = ({ tf, call, x, numbers }) => {
  const [axis = 0] = numbers(1) ?? [];
  const isOn = (name: string): boolean => intAttr(call.node, name, 0) === 1;
  return tf.cumsum(x(0), normalizeAxis(call, axis, x(0).rank), isOn('exclusive'), isOn('reverse'));
};

/** How many there are only the values say: the host reads them. */
const nonZero: Kernel = ({ tf, x, numbers }) => {
  const strides = stridesOf(x(0).shape);
  const places = (numbers(0) ?? []).flatMap((element, i) => (element === 0 ? [] : [i]));
  const rows = x(0).shape.map((size, axis) => places.map((at) => Math.floor(at / (strides[axis] ?? 1)) % size));
  return tf.tensor(rows.flat(), [x(0).rank, places.length], 'int32');
};

/** One text for each slice of x along an axis, equal where the slices are. */
const slices = (numbers: readonly number[], shape: readonly number[], axis: number): readonly (readonly number[])[] => {
  const [size, inner] = [shape[axis] ?? 1, product(shape.slice(axis + 1))];
  const outer = product(shape.slice(0, axis));
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: outer }, (_, o) => numbers.slice((o * size + i) * inner, (o * size + i + 1) * inner)).flat(),
  );
};

const inOrder = (a: readonly number[], b: readonly number[]): number => {
  const at = a.findIndex((element, i) => element !== b[i]);
  return (a[at] ?? 0) - (b[at] ?? 0);
};

/** Which elements or slices are alike only their values say: the host reads them. */
const unique: Kernel = (work) => {
  const { tf, call, x, numbers } = work;
  const whole = call.node.attrs.axis === undefined;
  const data = whole ? tf.reshape(x(0), [-1]) : x(0);
  const axis = whole ? 0 : axisOf(work, 0);
  const all = slices(numbers(0) ?? [], data.shape, axis);
  const places = new Map<string, [first: number, count: number]>();
  for (const [i, slice] of all.entries()) {
    const [first, count] = places.get(slice.join()) ?? [i, 0];
    places.set(slice.join(), [first, count + 1]);
  }
  const groups = [...places.values()];
  if (intAttr(call.node, 'sorted', 1) === 1) groups.sort(([a], [b]) => inOrder(all[a] ?? [], all[b] ?? []));
  const firsts = groups.map(([first]) => first);
  const numberOf = new Map(firsts.map((first, i) => [all[first]?.join(), i]));
  const list = (ids: readonly number[]): Tensor => tf.tensor1d([...ids], 'int32');
  return [
    rowsOf(tf, data, list(firsts), axis),
    list(firsts),
    list(all.map((slice) => numberOf.get(slice.join()) ?? 0)),
    list(groups.map(([, count]) => count)),
  ];
};

/** Those indices for which a condition is true, of an axis or of all elements in one row. */
const compress: Kernel = (work) => {
  const { tf, call, x, numbers } = work;
  const ids = (numbers(1) ?? []).flatMap((bit, i) => (bit === 0 ? [] : [i]));
  const taken = tf.tensor1d(ids, 'int32');
  if (call.node.attrs.axis === undefined) return rowsOf(tf, tf.reshape(x(0), [-1]), taken, 0);
  return rowsOf(tf, x(0), taken, axisOf(work, 0));
};

/** Operators that read and write elements by number. */
export const picking: Kernels = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
  OneHot: oneHot,
  ArgMax: argOf((tf, x, axis) => tf.argMax(x, axis)),
  ArgMin: argOf((tf, x, axis) => tf.argMin(x, axis)),
  TopK: topK,
  CumSum: cumSum,
  NonZero: nonZero,
  Compress: compress,
  Unique: unique,
};
