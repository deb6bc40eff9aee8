import { recordOf } from '../call.ts';
import { type Graph, indexOf, type Node, type Value } from '../graph.ts';
import type { Cut, Refusal } from '../op.ts';
import { findOp } from '../ops/index.ts';
import { callsOf } from './calls.ts';
import { numberUnits, type Units, unitsOf } from './units.ts';

/** Where a cut begins: one unit an index, or the units that `owner` names (-1 for indices that always stay). */
export interface CutStart {
  readonly value: Value;
  readonly axis: number;
  readonly owner?: Int32Array;
}

/** Everything that must shrink together: all axes that a cut reaches, with the unit that owns each index. */
export interface CutGroup {
  readonly start: { readonly value: Value; readonly axis: number };
  /** Number of units that can be removed one by one, numbered from 0 in the order of the start's axis. */
  readonly units: number;
  /** Every touched axis of every value, in order of discovery. Owners are -1 where an index belongs to no unit. */
  readonly axes: readonly Cut[];
  /** The touched axes that belong to weights: the coupled slices. */
  readonly weights: readonly Cut[];
}

/** A cut that cannot be made, and where it failed. */
export interface CutRefusal extends Refusal {
  /** The node that refused; absent where the reason is a graph input or the start itself. */
  readonly node?: Node;
}

export const isRefusal = (result: CutGroup | CutRefusal): result is CutRefusal => 'refused' in result;

interface Touched {
  readonly value: Value;
  readonly axis: number;
  owner: Int32Array;
}

const keyOf = (value: Value, axis: number): string => `${axis}:${value}`;

const describe = (node: Node): string => `${node.domain === '' ? '' : `${node.domain}:`}${node.op} '${node.name}'`;

/** The axis counted from the front and its length, or why it cannot be cut. */
const lengthOf = (graph: Graph, value: Value, axis: number): { axis: number; length: number } | string => {
  const shape = graph.types.get(value)?.shape;
  if (shape === undefined) return `the shape of '${value}' is not known`;
  const at = axis < 0 ? axis + shape.length : axis;
  const length = shape[at];
  if (length === undefined) return `'${value}' has ${shape.length} axes and no axis ${axis}`;
  if (typeof length !== 'number') return `axis ${at} of '${value}' has the variable length ${length}`;
  return { axis: at, length };
};

/** The state of one propagation: units, touched axes, and what is still to be visited. */
class Propagation {
  readonly #graph: Graph;
  readonly #units: Units;
  readonly touched = new Map<string, Touched>();
  readonly #queue: Touched[] = [];
  /** Node and axis pairs whose consequences are known, because that very node asked for the cut. */
  readonly #settled = new Map<Node, Set<string>>();

  readonly #shrinking: ReadonlySet<Value>;

  constructor(graph: Graph, units: Units, shrinking: ReadonlySet<Value>) {
    this.#graph = graph;
    this.#units = units;
    this.#shrinking = shrinking;
  }

  /** Marks an axis as cut; where it is already, its old and new owners become one. */
  touch(cut: Cut, by: Node | undefined): string | undefined {
    const place = lengthOf(this.#graph, cut.value, cut.axis);
    if (typeof place === 'string') return place;
    if (cut.owner.length !== place.length) {
      return `axis ${place.axis} of '${cut.value}' has ${place.length} indices, the cut names ${cut.owner.length}`;
    }
    if (this.#graph.inputs.includes(cut.value) && !this.#shrinking.has(cut.value))
      return `it would change axis ${place.axis} of the input '${cut.value}'`;
    const key = keyOf(cut.value, place.axis);
    if (by !== undefined) this.#settle(by, key);
    const known = this.touched.get(key);
    if (known === undefined) {
      const touched = { value: cut.value, axis: place.axis, owner: cut.owner.slice() };
      this.touched.set(key, touched);
      this.#queue.push(touched);
    } else if (this.#unite(known, cut.owner)) {
      for (const [node, keys] of this.#settled) if (node !== by) keys.delete(key);
      this.#queue.push(known);
    }
    return undefined;
  }

  /** Visits the nodes around every touched axis until nothing new is found. */
  run(): CutRefusal | undefined {
    const { producer, users } = indexOf(this.#graph);
    for (let touched = this.#queue.shift(); touched !== undefined; touched = this.#queue.shift()) {
      const made = producer.get(touched.value);
      for (const node of [...(made === undefined ? [] : [made]), ...(users.get(touched.value) ?? [])]) {
        const refused = this.#visit(node, touched);
        if (refused !== undefined) return { refused: `${describe(node)}: ${refused}`, node };
      }
    }
    return undefined;
  }

  /**
   * Joins the owners that two roads found, and takes over those of indices that had none: the parts of a packed matrix
   * are reached one after another. Says whether any was taken over.
   */
  #unite(known: Touched, owner: Int32Array): boolean {
    let more = false;
    owner.forEach((unit, i) => {
      const other = known.owner[i] ?? -1;
      if (unit < 0) return;
      if (other >= 0) this.#units.join(unit, other);
      else {
        known.owner[i] = unit;
        more = true;
      }
    });
    return more;
  }

  #settle(node: Node, key: string): boolean {
    const keys = this.#settled.get(node) ?? new Set();
    this.#settled.set(node, keys);
    return keys.size !== keys.add(key).size;
  }

  #visit(node: Node, touched: Touched): string | undefined {
    if (!this.#settle(node, keyOf(touched.value, touched.axis))) return undefined;
    const call = callsOf(this.#graph)(node);
    const record = recordOf(call);
    if (record === undefined) {
      const known = findOp(node.domain, node.op, call.opset) !== undefined;
      return known
        ? 'reads a value of which not even the element type is known'
        : 'decant has no record of this operator';
    }
    // A unit that always stays keeps its number here, so that whatever it is coupled with stays too.
    const owner = touched.owner.map((unit) => {
      const found = this.#units.find(unit);
      return found < 0 ? unit : found;
    });
    const effect = record.cut(call, { value: touched.value, axis: touched.axis, owner });
    if ('refused' in effect) return effect.refused;
    for (const [a, b] of effect.merges ?? []) this.#units.join(a, b);
    for (const cut of effect.cuts) {
      const refused = this.touch(cut, node);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }
}

const startUnits = (owner: Int32Array): number => owner.reduce((most, unit) => Math.max(most, unit + 1), 0);

/**
 * Follows the removal of indices of one axis through every operator it reaches. What comes back names each axis that has
 * to shrink with it and which unit owns each of its indices; a refusal names the node that cannot lose indices. Inputs of the
 * graph stay as they are but for those in `shrinking`: states that are fed again what was put out before.
 */
export const followCut = (
  graph: Graph,
  start: CutStart,
  shrinking: ReadonlySet<Value> = new Set(),
): CutGroup | CutRefusal => {
  const place = lengthOf(graph, start.value, start.axis);
  if (typeof place === 'string') return { refused: place };
  const owner = start.owner ?? Int32Array.from({ length: place.length }, (_, i) => i);
  const units = unitsOf(startUnits(owner));
  const propagation = new Propagation(graph, units, shrinking);
  const wrong = propagation.touch({ value: start.value, axis: place.axis, owner }, undefined);
  if (wrong !== undefined) return { refused: wrong };
  const refusal = propagation.run();
  if (refusal !== undefined) return refusal;
  const { count, numberOf } = numberUnits(units);
  const axes = [...propagation.touched.values()].map((touched) => ({
    value: touched.value,
    axis: touched.axis,
    owner: touched.owner.map((unit) => (unit < 0 ? -1 : (numberOf[unit] ?? -1))),
  }));
  return {
    start: { value: start.value, axis: place.axis },
    units: count,
    axes,
    weights: axes.filter((cut) => graph.weights.has(cut.value)),
  };
};
