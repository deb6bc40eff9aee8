import { GraphBuilder } from '../builder.ts';
import type { Dim } from '../dim.ts';
import { type Graph, indexOf, type Node, type Value } from '../graph.ts';
import { intAttr } from '../ops/shared-structure.ts';
import type { Pass } from './pass.ts';
import { sequenceSamples } from './sequences-samples.ts';

/** Elements that sequences of a graph are given or read, all together: a file that asks for more keeps its sequences. */
const MOST_ELEMENTS = 1 << 16;

/** What each sequence holds, where its length is known. */
interface Opening {
  readonly builder: GraphBuilder;
  readonly known: Map<Value, readonly Value[]>;
  elements: number;
  /** How many nodes read an element, a length or the whole of a known sequence. */
  opened: number;
}

type Elements = readonly Value[] | undefined;

/** Counts more elements, where there is room for them. */
const isWithin = (opening: Opening, more: number): boolean => {
  if (opening.elements + more > MOST_ELEMENTS) return false;
  opening.elements += more;
  return true;
};

const sequenceIn = ({ known }: Opening, { inputs }: Node): Elements =>
  inputs[0] == null ? undefined : known.get(inputs[0]);

/** The one number that an input holds. */
const numberAt = ({ builder }: Opening, node: Node, position: number): Dim | undefined => {
  const [number, ...more] = builder.call(node).ints(position) ?? [];
  return more.length === 0 ? number : undefined;
};

/** A place in a sequence, counted from its end where negative; undefined where there is none or only the run knows. */
const placeIn = (opening: Opening, node: Node, position: number, length: number): number | undefined => {
  const number = numberAt(opening, node, position);
  if (typeof number !== 'number' || number < -length || number >= length) return undefined;
  return number < 0 ? number + length : number;
};

const isNumber = (dim: Dim): dim is number => typeof dim === 'number';

/** The sizes of the parts of an axis; undefined where they are not known or do not add up to it. */
const partsOf = (opening: Opening, node: Node, size: Dim): readonly number[] | undefined => {
  const call = opening.builder.call(node);
  const parts = call.ints(1)?.filter(isNumber) ?? [];
  if (parts.length === 0 || parts.length !== call.ints(1)?.length || parts.some((part) => part < 0)) return undefined;
  const [part = 0] = parts;
  if (call.inputs[1]?.shape?.length !== 0) {
    const whole = parts.reduce((sum, one) => sum + one, 0);
    return !isNumber(size) || whole === size ? parts : undefined;
  }
  if (!isNumber(size) || part === 0 || size / part > MOST_ELEMENTS) return undefined;
  return Array.from({ length: Math.ceil(size / part) }, (_, i) => Math.min(part, size - i * part));
};

/** A tensor in parts along an axis; without sizes of these index by index, and the axis may go. */
const split = (opening: Opening, node: Node): Elements => {
  const { builder } = opening;
  const [from, sizes] = node.inputs;
  const shape = builder.call(node).inputs[0]?.shape;
  const given = intAttr(node, 'axis', 0);
  const axis = given < 0 ? given + (shape?.length ?? 0) : given;
  const size = shape?.[axis];
  if (from == null || size === undefined) return undefined;
  if (sizes != null) {
    const parts = partsOf(opening, node, size);
    if (parts === undefined || !isWithin(opening, parts.length)) return undefined;
    return builder.ops('Split', [from, builder.ints(parts)], parts.length, { axis });
  }
  if (!isNumber(size) || !isWithin(opening, size)) return undefined;
  const keeps = intAttr(node, 'keepdims', 1) !== 0;
  return Array.from({ length: size }, (_, i) =>
    builder.op('Gather', [from, keeps ? builder.ints([i]) : builder.scalar('int64', i)], { axis }),
  );
};

const inserted = (opening: Opening, node: Node): Elements => {
  const [elements, one] = [sequenceIn(opening, node), node.inputs[1]];
  if (elements === undefined || one == null) return undefined;
  const place = node.inputs[2] == null ? elements.length : placeBefore(numberAt(opening, node, 2), elements.length);
  return place === undefined ? undefined : elements.toSpliced(place, 0, one);
};

/** Where something is put in: also behind the last. */
const placeBefore = (number: Dim | undefined, length: number): number | undefined => {
  if (!(number !== undefined && isNumber(number)) || number < -length || number > length) return undefined;
  return number < 0 ? number + length : number;
};

const erased = (opening: Opening, node: Node): Elements => {
  const elements = sequenceIn(opening, node);
  if (elements === undefined) return undefined;
  const place = node.inputs[1] == null ? elements.length - 1 : placeIn(opening, node, 1, elements.length);
  return place === undefined || place < 0 ? undefined : elements.toSpliced(place, 1);
};

/** Operators that make a sequence: what it holds, where that is known. */
const makers: Readonly<Record<string, (opening: Opening, node: Node) => Elements>> = {
  SequenceEmpty: () => [],
  SequenceConstruct: (_, { inputs }) => inputs.filter((input) => input !== null),
  SequenceInsert: inserted,
  SequenceErase: erased,
  SplitToSequence: split,
  Identity: sequenceIn,
};

const joined = (opening: Opening, node: Node, elements: readonly Value[], output: Value): boolean => {
  if (elements.length === 0 || !isWithin(opening, elements.length)) return false;
  const { builder } = opening;
  const axis = intAttr(node, 'axis', 0);
  const stacked = intAttr(node, 'new_axis', 0) !== 0;
  const parts = stacked ? elements.map((one) => builder.op('Unsqueeze', [one, builder.ints([axis])])) : elements;
  builder.op('Concat', parts, { axis }, output);
  return true;
};

const elementAt = (opening: Opening, node: Node, elements: readonly Value[], output: Value): boolean => {
  const place = placeIn(opening, node, 1, elements.length);
  const element = place === undefined ? undefined : elements[place];
  if (element === undefined) return false;
  opening.builder.op('Identity', [element], {}, output);
  return true;
};

const lengthOf = ({ builder }: Opening, _: Node, elements: readonly Value[], output: Value): boolean => {
  builder.op('Identity', [builder.scalar('int64', elements.length)], {}, output);
  return true;
};

/** Operators that make plain values of a known sequence; false where they cannot, and stay. */
const readers: Readonly<Record<string, typeof joined>> = {
  SequenceAt: elementAt,
  SequenceLength: lengthOf,
  ConcatFromSequence: joined,
};

const own = <T>(table: Readonly<Record<string, T>>, { domain, op }: Node): T | undefined =>
  domain === '' && Object.hasOwn(table, op) ? table[op] : undefined;

/** Whether a node that reads a sequence was written without it. */
const isOpened = (opening: Opening, node: Node): boolean => {
  const [elements, read, [output]] = [sequenceIn(opening, node), own(readers, node), node.outputs];
  if (elements === undefined || read === undefined || output === undefined) return false;
  if (!opening.builder.within(output, () => read(opening, node, elements, output))) return false;
  opening.opened++;
  return true;
};

const run = (graph: Graph): Graph => {
  if (!graph.nodes.some((node) => own(readers, node) !== undefined)) return graph;
  const opening: Opening = { builder: GraphBuilder.like(graph), known: new Map(), elements: 0, opened: 0 };
  const { users } = indexOf(graph);
  for (const node of graph.nodes) {
    if (isOpened(opening, node)) continue;
    opening.builder.add(node, (output) => graph.types.get(output));
    const [output] = node.outputs;
    if (output === undefined || !users.has(output)) continue;
    const elements = opening.builder.within(output, () => own(makers, node)?.(opening, node));
    if (elements !== undefined && isWithin(opening, elements.length)) opening.known.set(output, elements);
  }
  return opening.opened === 0 ? graph : opening.builder.freeze(graph.outputs);
};

/** Sequences of a length that is known are the values that they hold. */
export const sequences: Pass = { name: 'sequences', run, ...sequenceSamples };
