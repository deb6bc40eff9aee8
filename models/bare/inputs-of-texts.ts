import { GraphBuilder } from '../../graph/builder.ts';
import { dtypeCodes } from '../../graph/codec/dtypes.ts';
import { bindDim, type Expression, symbol } from '../../graph/dim.ts';
import { type Graph, readingAs, type Value } from '../../graph/graph.ts';
import { isFloating } from '../../graph/sites/content.ts';
import { bytesOf, type Tensor } from '../../graph/tensor.ts';
import { modelError } from '../../ground/errors.ts';
import type { InputRole, Port } from '../signature.ts';
import { filled } from './feeds.ts';
import type { BareInput, Roles } from './roles.ts';

const textAxes = ['batch', 'sequence'] as const;

/** What a model of texts is fed; undefined for what no text gives. */
const textRole = ({ role, axes, added }: BareInput): InputRole | undefined => {
  if (axes.length !== textAxes.length || axes.some(({ kind }) => kind === 'source')) return undefined;
  if (role === 'tokens' || role === 'segments' || role === 'positions') return role;
  if (role === 'mask' && added !== true) return role;
  return role === 'spare' ? 'segments' : undefined;
};

/** What the file calls an input that texts do not give, for messages. */
const called: Readonly<Partial<Record<BareInput['role'], string>>> = {
  ...{ past: 'states of positions before: it is a decoder', hidden: 'states of an encoder', pixels: 'an image' },
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
export const textPortsOf = ({ inputs }: Roles): readonly Port<InputRole>[] => {
  const ports = inputs.flatMap((input): readonly Port<InputRole>[] => {
    if (isSetting(input)) return [];
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

/** What the sizes of the file's inputs are called here. */
const renaming = ({ inputs }: Roles): Readonly<Record<string, Expression>> =>
  Object.fromEntries(
    inputs.flatMap(({ axes }) =>
      axes.flatMap(({ kind, size }) => (typeof size === 'number' ? [] : [[size, symbol(kind)] as const])),
    ),
  );

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
  const names = renaming(roles);
  const builder = new GraphBuilder(graph.name, graph.opsets);
  builder.reserve([...graph.nodes.flatMap(({ outputs }) => outputs), ...graph.weights.keys()]);
  const own = new Map<Value, Value>();
  for (const input of roles.inputs) {
    if (ports.has(input.name)) builder.input(input.name, 'int64', [symbol('batch'), symbol('sequence')]);
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
