import { GraphBuilder } from '../builder.ts';
import { type Dim, symbol } from '../dim.ts';
import { type Graph, type Node, opsetOf, type TensorType, type Value } from '../graph.ts';
import { elementCount, isWhole, vector } from '../tensor.ts';
import type { Pass } from './pass.ts';
import { Sizes } from './sizes.ts';

/** Inputs that say sizes or places, by operator. */
const targets: Readonly<Record<string, readonly number[]>> = {
  Reshape: [1],
  Expand: [1],
  ConstantOfShape: [0],
  Tile: [1],
  Slice: [1, 2],
  Range: [0, 1, 2],
};

/** The operator set in which a stretch of a shape can be asked for. */
const OLDEST = 15;

interface Simplifying {
  readonly builder: GraphBuilder;
  readonly sizes: Sizes;
  changed: boolean;
}

const isList = (type: TensorType): boolean => type.dtype === 'int64' && type.shape?.length === 1;

/** What a computed list of sizes comes to, where inputs of the graph tell all of it. */
const toldAt = ({ builder, sizes }: Simplifying, name: Value): readonly Dim[] | undefined => {
  if (sizes.isCanonical(name)) return undefined;
  const ints = builder.intsOf(name);
  return ints !== undefined && ints.length > 0 && ints.every((dim) => sizes.tells(dim)) ? ints : undefined;
};

const takesZeros = ({ attrs: { allowzero } }: Node): boolean => allowzero?.kind === 'int' && allowzero.value === 1;

/** Numbers for a Reshape, where every symbol is that of the axis in its place: a zero copies it. */
const copying = ({ builder }: Simplifying, node: Node, target: readonly Dim[]): readonly number[] | undefined => {
  const [x] = node.inputs;
  const from = x == null || !builder.hasType(x) ? undefined : builder.type(x).shape;
  const entries = target.map((dim, axis) => (typeof dim === 'number' ? dim : from?.[axis] === dim ? 0 : undefined));
  const numbers = entries.filter((entry) => entry !== undefined).filter(isWhole);
  const isSafe = !takesZeros(node) || !target.includes(0);
  return isSafe && numbers.length === target.length ? numbers : undefined;
};

const reshaped = (simplifying: Simplifying, node: Node): Node => {
  const [x = null, target] = node.inputs;
  const isComputed = target != null && simplifying.builder.weightOf(target) === undefined;
  const known = isComputed ? simplifying.builder.intsOf(target) : undefined;
  const entries = known === undefined ? undefined : copying(simplifying, node, known);
  if (entries === undefined) return node;
  const { allowzero: _, ...attrs } = node.attrs;
  return { ...node, inputs: [x, simplifying.builder.ints(entries)], attrs };
};

const rewritten = (simplifying: Simplifying, node: Node, input: number): Node => {
  const { builder, sizes } = simplifying;
  const name = node.inputs[input];
  if (name == null || !builder.hasType(name)) return node;
  const told = toldAt(simplifying, name);
  const type = builder.type(name);
  if (told === undefined || type.dtype !== 'int64') return node;
  const [only] = told;
  if (!isList(type) && (type.shape?.length !== 0 || only === undefined)) return node;
  const list = isList(type) ? sizes.list(told, `${node.outputs[0]}/sizes.${input}`) : sizes.single(only ?? 0);
  return { ...node, inputs: node.inputs.map((other, i) => (i === input ? list : other)) };
};

const simplified = (simplifying: Simplifying, node: Node): Node => {
  const places = node.domain === '' && Object.hasOwn(targets, node.op) ? (targets[node.op] ?? []) : [];
  const constant = node.op === 'Reshape' && places.length > 0 ? reshaped(simplifying, node) : node;
  if (constant !== node) return constant;
  return places.reduce((one, input) => rewritten(simplifying, one, input), node);
};

const run = (graph: Graph): Graph => {
  if (opsetOf(graph.opsets, '') < OLDEST) return graph;
  const builder = GraphBuilder.like(graph);
  const simplifying = { builder, sizes: new Sizes(graph, builder), changed: false };
  for (const node of graph.nodes) {
    const simple = simplified(simplifying, node);
    simplifying.changed ||= simple !== node;
    builder.add(simple, (name) => graph.types.get(name));
    simplifying.sizes.meet(simple);
  }
  return simplifying.changed ? builder.freeze(graph.outputs) : graph;
};

type Emit = (b: GraphBuilder, x: Value) => Value;

const graphOf = (emit: Emit): Graph => {
  const builder = new GraphBuilder('shapes');
  const x = builder.input('x', 'float32', [symbol('batch'), symbol('sequence'), 8]);
  return builder.freeze([builder.op('Neg', [emit(builder, x)], {}, 'y')]);
};

/** An axis of a value, as exporters ask for it. */
const axisOf = (b: GraphBuilder, x: Value, axis: number): Value =>
  b.op('Unsqueeze', [b.op('Gather', [b.op('Shape', [x]), b.scalar('int64', axis)], { axis: 0 }), b.ints([0])]);

const joined = (b: GraphBuilder, ...parts: readonly Value[]): Value => b.op('Concat', parts, { axis: 0 });

const heads: Emit = (b, x) =>
  b.op('Reshape', [x, joined(b, axisOf(b, x, 0), axisOf(b, x, 1), b.ints([2]), b.ints([4]))], { allowzero: 1 });

const rows: Emit = (b, x) => {
  const h = b.op('Tanh', [x]);
  return b.op('Reshape', [h, joined(b, b.op('Mul', [axisOf(b, h, 0), axisOf(b, h, 1)]), b.ints([8]))]);
};

const repeated: Emit = (b, x) => {
  const h = b.op('Unsqueeze', [x, b.ints([2])]);
  return b.op('Expand', [h, joined(b, axisOf(b, h, 0), axisOf(b, h, 1), b.ints([3]), axisOf(b, h, 3))]);
};

const counted: Emit = (b, x) => {
  const length = b.op('Gather', [b.op('Shape', [b.op('Tanh', [x])]), b.scalar('int64', 1)], { axis: 0 });
  const places = b.op('Range', [b.scalar('int64', 0), length, b.scalar('int64', 1)]);
  return b.op('Mul', [x, b.op('Unsqueeze', [b.op('Cast', [places], { to: 1 }), b.ints([1])])]);
};

const stretch: Emit = (b, x) => {
  const table = b.weight(
    'table',
    vector(
      'float32',
      Array.from({ length: elementCount([16, 8]) }, (_, i) => i / 7),
      [16, 8],
    ),
  );
  return b.op('Add', [x, b.op('Slice', [table, b.ints([0]), axisOf(b, b.op('Tanh', [x]), 1), b.ints([0])])]);
};

/** A target that is computed of sizes is numbers, or one Concat of numbers and axes of the graph's inputs. */
export const shapes: Pass = {
  name: 'shapes',
  run,
  changes: [
    { name: 'heads of a width', graph: () => graphOf(heads) },
    { name: 'a product of two sizes', graph: () => graphOf(rows) },
    { name: 'a value that is repeated', graph: () => graphOf(repeated) },
    { name: 'places that are counted', graph: () => graphOf(counted) },
    { name: 'a stretch of a table', graph: () => graphOf(stretch) },
  ],
  leaves: [
    { name: 'numbers', graph: () => graphOf((b, x) => b.op('Reshape', [x, b.ints([0, 0, 2, 4])])) },
    {
      name: 'one Concat of an axis of an input',
      graph: () =>
        graphOf((b, x) => b.op('Reshape', [x, joined(b, b.op('Shape', [x], { start: 1, end: 2 }), b.ints([-1, 4]))])),
    },
    {
      name: 'a size that is found by the run alone',
      graph: () =>
        graphOf((b, x) => {
          const found = b.op('NonZero', [b.op('Cast', [x], { to: 9 })]);
          return b.op('Cast', [b.op('Expand', [b.scalar('int64', 1), b.op('Shape', [found])])], { to: 1 });
        }),
    },
  ],
};
