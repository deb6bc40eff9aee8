import { isRefusal, isUserError, modelError, refusal } from '../../ground/errors.ts';
import { GraphBuilder } from '../builder.ts';
import { recordOf } from '../call.ts';
import type { Dim, Shape } from '../dim.ts';
import { type Graph, indexOf, type Node, type Value, value } from '../graph.ts';
import type { Tensor } from '../tensor.ts';
import { callsOf } from './calls.ts';
import type { CutGroup } from './follow.ts';
import { sliceTensor } from './slice.ts';

/** Indices that stay, by value and axis. */
type KeptIndices = ReadonlyMap<Value, ReadonlyMap<number, Int32Array>>;

const survivorsOf = (group: CutGroup, kept: Iterable<number>): Uint8Array => {
  const survives = new Uint8Array(group.units);
  for (const unit of kept) {
    if (!Number.isInteger(unit) || unit < 0 || unit >= group.units) {
      throw refusal(`unit ${unit} of the cut at '${group.start.value}' does not exist: it has ${group.units} units`);
    }
    survives[unit] = 1;
  }
  return survives;
};

/** Where two groups cut one axis (heads and head width in a packed matrix), an index stays if both keep it. */
const keptIndices = (groups: readonly CutGroup[], kept: readonly Iterable<number>[]): KeptIndices => {
  const stays = new Map<Value, Map<number, Uint8Array>>();
  groups.forEach((group, i) => {
    const survives = survivorsOf(group, kept[i] ?? Array.from({ length: group.units }, (_, unit) => unit));
    for (const { value: at, axis, owner } of group.axes) {
      const axes = stays.get(at) ?? new Map<number, Uint8Array>();
      const flags = axes.get(axis) ?? new Uint8Array(owner.length).fill(1);
      owner.forEach((unit, index) => {
        if (unit >= 0 && survives[unit] === 0) flags[index] = 0;
      });
      stays.set(at, axes.set(axis, flags));
    }
  });
  return new Map(
    [...stays].map(([at, axes]) => [at, new Map([...axes].map(([axis, f]) => [axis, indicesOf(at, axis, f)]))]),
  );
};

const indicesOf = (at: Value, axis: number, flags: Uint8Array): Int32Array => {
  const indices: number[] = [];
  flags.forEach((flag, index) => {
    if (flag === 1) indices.push(index);
  });
  if (indices.length === 0)
    throw modelError(`nothing would be left of axis ${axis} of '${at}': keep at least one unit`);
  return Int32Array.from(indices);
};

const sizesAfter =
  (graph: Graph, kept: KeptIndices) =>
  (of: Value): Shape | undefined => {
    const shape = graph.types.get(of)?.shape;
    const axes = kept.get(of);
    return axes === undefined ? shape : shape?.map((dim, axis) => axes.get(axis)?.length ?? dim);
  };

const sliceWeights = (graph: Graph, kept: KeptIndices): Map<Value, Tensor> =>
  new Map(
    [...graph.weights].map(([name, tensor]) => {
      const axes = kept.get(name);
      if (axes === undefined) return [name, tensor];
      return [
        name,
        sliceTensor(
          tensor,
          tensor.dims.map((_, axis) => axes.get(axis)),
        ),
      ];
    }),
  );

const sameTensor = (a: Tensor, b: Tensor): boolean =>
  a.dtype === b.dtype && a.dims.join() === b.dims.join() && Buffer.compare(a.bytes.read(), b.bytes.read()) === 0;

/** A name that the graph does not use yet, numbered last as every name of a constant is. */
const freshName = (graph: Graph, weights: ReadonlyMap<Value, Tensor>, old: Value, tensor: Tensor): Value => {
  const [, stem = old, number = '0'] = /^(.*)_(\d+)$/.exec(old) ?? [];
  for (let i = 1; ; i++) {
    const name = value(`${stem}_${number}${String(i).padStart(3, '0')}`);
    const taken = weights.get(name);
    if (taken === undefined ? !graph.types.has(name) : sameTensor(taken, tensor)) return name;
  }
};

/**
 * A resized constant: under the old name where one node alone reads it, and at one place, else under a new one. Computed
 * sizes get a new name as well.
 */
const replaceConstant = (graph: Graph, weights: Map<Value, Tensor>, node: Node, old: Value, tensor: Tensor): Value => {
  const current = weights.get(old);
  if (current !== undefined && sameTensor(current, tensor)) return old;
  const readers = indexOf(graph).users.get(old)?.length ?? 0;
  const computed = current === undefined && graph.types.has(old);
  const places = node.inputs.filter((input) => input === old).length;
  const own = readers <= 1 && places <= 1 && !computed && !graph.outputs.includes(old);
  const name = own ? old : freshName(graph, weights, old, tensor);
  weights.set(name, tensor);
  return name;
};

/** The node with its shape attributes and constants rewritten for the new sizes of its values. */
const resizeNode = (
  graph: Graph,
  node: Node,
  kept: KeptIndices,
  sizes: (of: Value) => readonly Dim[] | undefined,
  weights: Map<Value, Tensor>,
): Node => {
  const touched = [...node.inputs, ...node.outputs].some((name) => name !== null && kept.has(name));
  if (!touched) return node;
  const call = callsOf(graph)(node);
  const stay = (of: Value, axis: number): readonly number[] | undefined => {
    const stays = kept.get(of)?.get(axis);
    return stays === undefined ? undefined : [...stays];
  };
  const resized = recordOf(call)?.resize?.(call, sizes, stay);
  if (resized === undefined) return node;
  const length = Math.max(node.inputs.length, resized.inputs?.length ?? 0);
  const inputs = Array.from({ length }, (_, position) => {
    const input = node.inputs[position] ?? null;
    const tensor = resized.inputs?.[position];
    // An optional input that the node did without (equal parts of a Split) gets a constant of its own.
    const old = input ?? value(`${node.outputs[0]}/constant_${position}`);
    return tensor === undefined ? input : replaceConstant(graph, weights, node, old, tensor);
  });
  return { ...node, inputs, attrs: resized.attrs ?? node.attrs };
};

/** Inference must agree with what the cut promised; shape arithmetic that a cut cannot rewrite shows here. */
const expectSizes = (before: Graph, after: Graph, sizes: (of: Value) => Shape | undefined): void => {
  for (const node of after.nodes) {
    for (const output of node.outputs) {
      const [expected, found] = [sizes(output), after.types.get(output)?.shape];
      if (expected === undefined || found === undefined || expected.join() === found.join()) continue;
      throw modelError(
        `after the cut, ${node.op} '${node.name}' of graph '${before.name}' would give '${output}' the shape ` +
          `[${found.join(', ')}], expected [${expected.join(', ')}]`,
      );
    }
  }
};

/**
 * The graph with only the kept units of each group: all coupled weights sliced, shape constants and attributes
 * rewritten, types inferred anew. `kept[i]` lists the units of `groups[i]` that stay; nothing else is removed.
 */
export const applyCuts = (graph: Graph, groups: readonly CutGroup[], kept: readonly Iterable<number>[]): Graph => {
  const indices = keptIndices(groups, kept);
  const sizes = sizesAfter(graph, indices);
  const weights = sliceWeights(graph, indices);
  const nodes = graph.nodes.map((node) => resizeNode(graph, node, indices, sizes, weights));
  const builder = GraphBuilder.like(graph, { weights });
  for (const node of nodes) {
    try {
      builder.add(node, (output) => {
        const type = graph.types.get(output);
        return type === undefined ? undefined : { dtype: type.dtype, shape: sizes(output) };
      });
    } catch (cause) {
      // Sizes that no constant says; anything else that goes wrong here is a bug.
      if (!isRefusal(cause) || isUserError(cause)) throw cause;
      throw modelError(`after the cut, graph '${graph.name}' would not fit together: ${cause.message}`, { cause });
    }
  }
  const result = builder.freeze(graph.outputs);
  expectSizes(graph, result, sizes);
  return result;
};
