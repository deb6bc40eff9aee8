import { GraphBuilder } from '../../graph/builder.ts';
import { dtypeCodes } from '../../graph/codec/dtypes.ts';
import { addDims, bindDim, type Dim, type Expression, type Shape, symbol } from '../../graph/dim.ts';
import { type Graph, readingAs, type Value } from '../../graph/graph.ts';
import { isFloating } from '../../graph/sites/content.ts';
import { bytesOf, type Tensor } from '../../graph/tensor.ts';
import { modelError } from '../../ground/errors.ts';
import type { InputRole, Port, State } from '../signature.ts';
import { filled } from './feeds.ts';
import type { BareAxisKind, BareInput, Roles } from './roles.ts';

const textAxes = ['batch', 'sequence'] as const;

/** What the sizes of inputs are called. Clients fill what is called batch_size, and begin with nothing of the rest. */
type Sizes = Readonly<Record<'batch' | 'sequence' | 'past', Expression>>;
const ofReaders: Sizes = { batch: symbol('batch'), sequence: symbol('sequence'), past: symbol('past') };
const ofWriters: Sizes = {
  ...{ batch: symbol('batch_size'), sequence: symbol('sequence_length'), past: symbol('past_sequence_length') },
};

const sizesOf = ({ states }: Roles): Sizes => (states.length === 0 ? ofReaders : ofWriters);

/** What a decoder remembers, and the output that goes on with it: keys and values, (batch, heads, positions, width). */
const stateOf = ({ name, axes, dtype }: BareInput, { states }: Roles): State | undefined => {
  const present = states.find(({ past }) => past === name)?.present;
  const [batch, heads, past, width] = axes;
  if (present === undefined || dtype !== 'float32' || axes.length !== 4) return undefined;
  if (batch?.kind !== 'batch' || past?.kind !== 'past') return undefined;
  if (typeof heads?.size !== 'number' || typeof width?.size !== 'number') return undefined;
  return { past: name, present, axes: ['batch', heads.size, 'past', width.size] };
};

/** What a graph goes on from, as far as it can be filled with nothing. */
export const textStatesOf = (roles: Roles): readonly State[] =>
  roles.inputs.flatMap((input) => (input.role === 'past' ? (stateOf(input, roles) ?? []) : []));

/** What a model of texts is fed; undefined for what no text gives. */
const textRole = ({ role, axes, added }: BareInput): InputRole | undefined => {
  if (axes.length !== textAxes.length || axes.some(({ kind }) => kind === 'source')) return undefined;
  if (role === 'tokens' || role === 'segments' || role === 'positions') return role;
  if (role === 'mask' && added !== true) return role;
  return role === 'spare' ? 'segments' : undefined;
};

/** What the file calls an input that texts do not give, for messages. */
const called: Readonly<Partial<Record<BareInput['role'], string>>> = {
  ...{
    past: 'states that do not go on as one of its outputs, in float32',
    hidden: 'states of an encoder',
    pixels: 'an image',
  },
  frames: 'the features of a sound',
};

/** An input that a value stands for, whatever the text is: it decides nothing about it. */
const isSetting = ({ role, axes }: BareInput): boolean =>
  role === 'flag' || (role === 'spare' && axes.length < textAxes.length);

const notOfTexts = ({ name, role, axes }: BareInput): Error =>
  modelError(
    `the input '${name}' takes ${called[role] ?? `${role} of ${axes.length} axes`}, which texts do not give: ` +
      'decant inspects, cuts, quantizes and exports such a graph, and trains models of texts alone',
  );

const fixedLength = ({ name, axes }: BareInput): Error =>
  modelError(
    `the input '${name}' has the fixed size [${axes.map(({ size }) => size).join(', ')}]: texts differ in number and length; ` +
      'export the model with dynamic axes for the batch and the sequence',
  );

/** The inputs as ports, or why a model of texts cannot have them. */
export const textPortsOf = (roles: Roles): readonly Port<InputRole>[] => {
  const ports = roles.inputs.flatMap((input): readonly Port<InputRole>[] => {
    if (isSetting(input) || (input.role === 'past' && stateOf(input, roles) !== undefined)) return [];
    const role = textRole(input);
    if (role === undefined) throw notOfTexts(input);
    if (input.axes.some(({ size }) => typeof size === 'number')) throw fixedLength(input);
    return [{ name: input.name, role, axes: textAxes }];
  });
  for (const role of ['tokens', 'mask'] as const) {
    const own = ports.filter((port) => port.role === role);
    if (own.length > 1 || (role === 'tokens' && own.length === 0))
      throw modelError(
        `the graph has ${own.length} inputs for ${role} (${own.map(({ name }) => name).join(', ') || 'none'}); a model of texts has one`,
      );
  }
  return ports;
};

const isKnown = (kind: BareAxisKind): kind is keyof Sizes => kind in ofReaders;

/** What an axis is called: that of a mask counts what is remembered, too. */
const sizeOf = (kind: BareAxisKind, sizes: Sizes): Dim => {
  if (kind === 'total') return addDims(sizes.past, sizes.sequence);
  return isKnown(kind) ? sizes[kind] : symbol(kind);
};

/** What the sizes of the file's inputs are called here; where two have one name, the first. */
const renaming = (roles: Roles): Readonly<Record<string, Dim>> => {
  const names: Record<string, Dim> = {};
  for (const { axes } of roles.inputs)
    for (const { kind, size } of axes) if (typeof size !== 'number') names[size] ??= sizeOf(kind, sizesOf(roles));
  return names;
};

const shapeOf = ({ axes }: BareInput, sizes: Sizes): Shape =>
  axes.map(({ kind, size }) => (typeof size === 'number' ? size : sizeOf(kind, sizes)));

/** What decides nothing about a text: zeros, and ones among floats. */
const settingOf = (input: BareInput): Tensor => {
  const dims = input.axes.map(({ size }) => (typeof size === 'number' ? size : 1));
  const { dtype, data } = filled(input, dims, () => (isFloating(input.dtype) ? 1 : 0));
  return { dtype, dims, bytes: bytesOf(data) };
};

/**
 * The graph with inputs as batches of texts fill them: whole numbers, (batch, sequence), under the names of the file. What
 * decides nothing about a text becomes a constant.
 */
export const ofTexts = (graph: Graph, roles: Roles): Graph => {
  const ports = new Set(textPortsOf(roles).map(({ name }) => name));
  const states = new Set(textStatesOf(roles).map(({ past }) => past));
  const sizes = sizesOf(roles);
  const names = renaming(roles);
  const builder = new GraphBuilder(graph.name, graph.opsets);
  builder.reserve([...graph.nodes.flatMap(({ outputs }) => outputs), ...graph.weights.keys()]);
  const own = new Map<Value, Value>();
  for (const input of roles.inputs) {
    if (ports.has(input.name)) builder.input(input.name, 'int64', shapeOf(input, sizes));
    else if (states.has(input.name)) builder.input(input.name, 'float32', shapeOf(input, sizes));
    else builder.weight(input.name, settingOf(input));
  }
  for (const [name, tensor] of graph.weights) builder.weight(name, tensor, graph.origins?.get(name));
  for (const { name, dtype } of roles.inputs)
    if (ports.has(name) && dtype !== 'int64') own.set(name, builder.op('Cast', [name], { to: dtypeCodes[dtype] }));
  for (const node of graph.nodes) {
    builder.add(
      readingAs(node, (input) => own.get(input) ?? input),
      (output) => {
        const type = graph.types.get(output);
        return type && { dtype: type.dtype, shape: type.shape?.map((dim) => bindDim(dim, names)) };
      },
    );
  }
  return builder.freeze(graph.outputs);
};
