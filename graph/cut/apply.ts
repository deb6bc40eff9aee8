import { isRefusal, isUserError, modelError, refusal } from '../../ground/errors.ts';
import { GraphBuilder } from '../builder.ts';
import { inferNode, recordOf } from '../call.ts';
import { concreteView, countedIn, inputSymbols } from '../concrete.ts';
import { type Dim, divideDims, multiplyDims, type Shape, symbolsOf } from '../dim.ts';
import { emitShape } from '../emit-shape.ts';
import { type Graph, indexOf, type Node, type Value, value } from '../graph.ts';
import { uniqueNames } from '../node-names.ts';
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

type SizesOf = (of: Value) => Shape | undefined;

/** What is left of an axis that counts some symbol so many times: as many of its indices go as of the view's. */
const leftOf = (dim: Dim, of: number, kept: number): Dim | undefined =>
  typeof dim === 'number' ? kept : divideDims(multiplyDims(dim, kept), of);

/** Shapes after the cut. Lengths that a cut names are those of the view that it was found in. */
const sizesAfter = (graph: Graph, view: Graph, kept: KeptIndices): SizesOf => {
  const known = new Set<string>(inputSymbols(graph));
  const counted = view.sizes === undefined ? () => undefined : countedIn(graph, view);
  const told = (of: Value, dim: Dim, axis: number): Dim =>
    symbolsOf(dim).every((name) => known.has(name)) ? dim : (counted(of, axis) ?? dim);
  return (of) => {
    const shape = graph.types.get(of)?.shape;
    const axes = kept.get(of);
    if (axes === undefined) return shape;
    return shape?.map((found, axis) => {
      const dim = told(of, found, axis);
      const [stay, seen] = [axes.get(axis)?.length, view.types.get(of)?.shape?.[axis]];
      if (stay === undefined || typeof seen !== 'number') return dim;
      const left = leftOf(dim, seen, stay);
      if (left !== undefined) return left;
      throw modelError(`of axis ${axis} of '${of}', ${dim} indices, ${stay} of ${seen} cannot be kept`);
    });
  };
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
const expectSizes = (after: Graph, sizes: SizesOf): void => {
  for (const node of after.nodes) {
    for (const output of node.outputs) {
      const [expected, found] = [sizes(output), after.types.get(output)?.shape];
      if (expected === undefined || found === undefined || expected.join() === found.join()) continue;
      throw modelError(
        `after the cut, ${node.op} '${node.name}' of graph '${after.name}' would give '${output}' the shape ` +
          `[${found.join(', ')}], expected [${expected.join(', ')}]`,
      );
    }
  }
};

/** What was found in a view is checked in a view of the same sizes, where every size is a number. */
const expectSizesSeen = (result: Graph, view: Graph, kept: KeptIndices): void => {
  try {
    expectSizes(concreteView(result, view.sizes), sizesAfter(view, view, kept));
  } catch (cause) {
    if (!isRefusal(cause) || isUserError(cause)) throw cause;
    throw wouldNotFit(result, cause);
  }
};

/** Sizes that no constant says. */
const wouldNotFit = ({ name }: Graph, cause: Error): Error =>
  modelError(`after the cut, graph '${name}' would not fit together: ${cause.message}`, { cause });

/** Whether a node as it stands gives what the cut promised; where sizes do not even fit together it does not. */
const givesSizes = (builder: GraphBuilder, node: Node, expected: Shape): boolean => {
  try {
    const found = inferNode(builder.call(node))?.[0]?.shape;
    return found === undefined || found.join() === expected.join();
  } catch (cause) {
    if (!isRefusal(cause) || isUserError(cause)) throw cause;
    return false;
  }
};

/** A cut on its way: what stays of the values of a graph, and the view in which it was found. */
interface Cutting {
  readonly graph: Graph;
  readonly view: Graph;
  readonly kept: KeptIndices;
  readonly sizes: SizesOf;
}

/** Whether a view tells every size of a value, so that a size that does not follow the cut shows there. */
const isSeen = ({ view }: Cutting, of: Value): boolean =>
  view.types.get(of)?.shape?.every((dim) => typeof dim === 'number') === true;

/** What says a shape, with numbers in the place of some entries; undefined where those are no numbers. */
const amended = (builder: GraphBuilder, said: Value, entries: Shape, axes: ReadonlySet<number>): Value | undefined => {
  if ([...axes].some((axis) => typeof entries[axis] !== 'number')) return undefined;
  const parts = entries.map((entry, axis) =>
    axes.has(axis) && typeof entry === 'number'
      ? builder.ints([entry])
      : builder.op('Gather', [said, builder.ints([axis])], { axis: 0 }),
  );
  return parts.length === 0 ? undefined : builder.op('Concat', parts, { axis: 0 });
};

/** The node with what it computes of its output's shape written anew, where that counts what is gone. */
const retargeted = (builder: GraphBuilder, cutting: Cutting, node: Node): Node => {
  const { graph, kept, sizes } = cutting;
  if (node.outputs[0] === undefined || !kept.has(node.outputs[0])) return node;
  const call = builder.call(node);
  const target = recordOf(call)?.target;
  const [said, output] = [target === undefined ? undefined : node.inputs[target.input], node.outputs[0]];
  const expected = output === undefined ? undefined : sizes(output);
  if (target === undefined || said == null || builder.weightOf(said) !== undefined || expected === undefined)
    return node;
  const entries = givesSizes(builder, node, expected) ? undefined : target.entries(call, expected);
  if (entries === undefined) return node;
  const others = node.inputs.flatMap((value, i) => (value === null || i === target.input ? [] : [value]));
  const cut = new Set(kept.get(node.outputs[0])?.keys());
  const anew = builder.within(
    `${output}/cut`,
    () =>
      emitShape(builder, [...others, ...graph.inputs], entries) ??
      (entries === expected && isSeen(cutting, output) ? amended(builder, said, entries, cut) : undefined),
  );
  return anew === undefined ? node : { ...node, inputs: node.inputs.with(target.input, anew) };
};

/** Types of inputs that a cut makes smaller: states of heads that are gone. */
const inputTypes = (graph: Graph, kept: KeptIndices, sizes: SizesOf): Graph['types'] => {
  const smaller = graph.inputs.filter((input) => kept.has(input));
  if (smaller.length === 0) return graph.types;
  const types = new Map(graph.types);
  for (const input of smaller) {
    const type = types.get(input);
    if (type !== undefined) types.set(input, { ...type, shape: sizes(input) });
  }
  return types;
};

/**
 * The graph with only the kept units of each group: all coupled weights sliced, shape constants, computed shapes and attributes
 * rewritten, types inferred anew. `kept[i]` lists the units of `groups[i]` that stay; nothing else is removed. Groups may have
 * been found in a view of the graph.
 */
export const applyCuts = (
  graph: Graph,
  groups: readonly CutGroup[],
  kept: readonly Iterable<number>[],
  view: Graph = graph,
): Graph => {
  const indices = keptIndices(groups, kept);
  const sizes = sizesAfter(graph, view, indices);
  const cutting = { graph, view, kept: indices, sizes };
  const weights = sliceWeights(graph, indices);
  const nodes = graph.nodes.map((node) => resizeNode(graph, node, indices, sizes, weights));
  const builder = GraphBuilder.like({ ...graph, types: inputTypes(graph, indices, sizes) }, { weights });
  for (const node of nodes) {
    try {
      builder.add(retargeted(builder, cutting, node), (output) => {
        const type = graph.types.get(output);
        return type === undefined ? undefined : { dtype: type.dtype, shape: sizes(output) };
      });
    } catch (cause) {
      // Anything else that goes wrong here is a bug.
      if (!isRefusal(cause) || isUserError(cause)) throw cause;
      throw wouldNotFit(graph, cause);
    }
  }
  const result = uniqueNames(builder.freeze(graph.outputs));
  if (view.sizes === undefined) expectSizes(result, sizes);
  else expectSizesSeen(result, view, indices);
  return result;
};
