import type { GraphBuilder } from '../../../../graph/builder.ts';
import { indexOf, type Node, type Value } from '../../../../graph/graph.ts';
import { floatShape, isOf, isReadOnce, type Lowering, madeBy, type Place } from './walk.ts';

type Order = readonly number[];

const orderOf = (node: Node): Order | undefined =>
  node.attrs.perm?.kind === 'ints' ? node.attrs.perm.value : undefined;

const isFlagged = (node: Node, name: string): boolean => {
  const attr = node.attrs[name];
  return attr?.kind === 'int' && attr.value === 1;
};

/** The last two axes exchanged. */
const swapped = (order: Order): Order => [...order.slice(0, -2), ...order.slice(-1), ...order.slice(-2, -1)];

const isInPlace = (order: Order): boolean => order.every((from, to) => from === to);

const isProduct = (node: Node): boolean =>
  isOf(node, 'MatMul') ||
  (isOf(node, 'FusedMatMul', 'com.microsoft') && !isFlagged(node, 'transBatchA') && !isFlagged(node, 'transBatchB'));

/** A value and the order in which its axes are read. */
interface Turned {
  readonly x: Value;
  readonly order: Order;
}

/** What stands before all the Transposes behind which a value is. */
const turnedAt = (place: Place, value: Value): Turned | undefined => {
  const node = madeBy(place, value, 'Transpose');
  const order = node === undefined ? undefined : orderOf(node);
  const [x] = node?.inputs ?? [];
  if (order === undefined || x == null) return undefined;
  const before = turnedAt(place, x);
  return before === undefined ? { x, order } : { x: before.x, order: order.map((axis) => before.order[axis] ?? axis) };
};

interface Side {
  readonly value: Value;
  readonly transposed: boolean;
}

/** Values in other orders, each computed once. */
class Orders {
  readonly #made = new Map<string, Value>();

  in(builder: GraphBuilder, { x, order }: Turned, name?: Value): Value {
    if (isInPlace(order)) return x;
    const key = `${order.join()} ${x}`;
    const made = this.#made.get(key) ?? builder.op('Transpose', [x], { perm: order }, name);
    this.#made.set(key, made);
    return made;
  }
}

/** Whether the last axis of what stands before is the last but one here: elements next to each other come apart. */
const isByColumns = (order: Order): boolean => order.at(-1) !== order.length - 1 && order.at(-2) === order.length - 1;

/** A side of a product. One whose matrices would be turned over is read by columns instead, and moved in whole rows. */
const sideOf = (place: Place, orders: Orders, value: Value, transposed: boolean): Side => {
  const turned = turnedAt(place, value);
  if (turned === undefined) return { value, transposed };
  const { x, order } = turned;
  const byColumns = isByColumns(order);
  const read = { x, order: byColumns ? swapped(order) : order };
  return { value: orders.in(place.builder, read), transposed: transposed !== byColumns };
};

/** Both sides of a product of stacks of matrices. */
const sidesOf = (place: Place, orders: Orders, product: Node): readonly [Side, Side] | undefined => {
  const [a, b] = product.inputs;
  if (a == null || b == null) return undefined;
  if ([a, b].some((value) => (floatShape(place, value)?.length ?? 0) < 2)) return undefined;
  return [
    sideOf(place, orders, a, isFlagged(product, 'transA')),
    sideOf(place, orders, b, isFlagged(product, 'transB')),
  ];
};

const emitProduct = ({ builder }: Place, product: Node, [a, b]: readonly [Side, Side], name?: Value): Value => {
  const { alpha } = product.attrs;
  const attrs = {
    ...{ transA: a.transposed ? 1 : 0, transB: b.transposed ? 1 : 0 },
    ...(alpha?.kind === 'float' ? { alpha: { float: alpha.value } } : {}),
  };
  return builder.op('com.microsoft:FusedMatMul', [a.value, b.value], attrs, name);
};

/** A product that is turned over at once: the other product, (A B)T = BT AT, comes out in rows. */
const turnedProduct = (place: Place, orders: Orders): boolean => {
  const { node, output, builder } = place;
  const [x] = node.inputs;
  const order = orderOf(node);
  const product = x == null ? undefined : indexOf(place.graph).producer.get(x);
  if (x == null || order === undefined || product === undefined) return false;
  if (!isProduct(product) || !isReadOnce(place, x)) return false;
  const last = order.length - 1;
  const sides = order.at(-1) === last - 1 ? sidesOf(place, orders, product) : undefined;
  if (sides === undefined) return false;
  const [b, a] = sides.map(({ value, transposed }) => ({ value, transposed: !transposed }));
  if (a === undefined || b === undefined) return false;
  const turned = order.map((axis) => (axis < last - 1 ? axis : 2 * last - 1 - axis));
  const isDone = isInPlace(turned);
  const made = emitProduct(place, product, [a, b], isDone ? output : undefined);
  if (!isDone) builder.op('Transpose', [made], { perm: turned }, output);
  return true;
};

/**
 * Products that read a side by columns where that spares turning its matrices over, which takes three times as long as moving
 * whole rows; heads that are moved once for all products that read them, forward and backward.
 */
export const products = (): Lowering => {
  const orders = new Orders();
  return (place) => {
    const { node, output, builder } = place;
    if (isOf(node, 'Transpose')) {
      if (turnedProduct(place, orders)) return true;
      const turned = turnedAt(place, output);
      return turned !== undefined && !isInPlace(turned.order) && orders.in(builder, turned, output) === output;
    }
    const sides = isProduct(node) ? sidesOf(place, orders, node) : undefined;
    if (sides === undefined || sides.map(({ value }) => value).join() === node.inputs.join()) return false;
    emitProduct(place, node, sides, output);
    return true;
  };
};
