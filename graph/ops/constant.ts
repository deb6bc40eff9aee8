import { refusal } from '../../ground/errors.ts';
import type { Dim } from '../dim.ts';
import type { Node } from '../graph.ts';
import type { Call, Inferred, OpDef, Resize } from '../op.ts';
import { elementCount, numbersOf, type Tensor, vector } from '../tensor.ts';
import { nothing, refuse } from './shared-cuts.ts';
import { describe, freshDim, isNumeric, noMacs, numbersAt, tensorAttr, withInts } from './shared-structure.ts';

const LONGEST_LIST = 64;

/** The value of a Constant node, whichever attribute carries it; undefined for text. */
export const tensorOfConstant = (node: Node): Tensor | undefined => {
  const { value: tensor, value_int: int, value_ints: ints, value_float: float, value_floats: floats } = node.attrs;
  if (tensor?.kind === 'tensor') return tensor.value;
  if (int?.kind === 'int') return vector('int64', [int.exact ?? int.value], []);
  if (ints?.kind === 'ints') return vector('int64', ints.exact ?? ints.value);
  if (float?.kind === 'float' || float?.kind === 'int') return vector('float32', [float.value], []);
  if (floats?.kind === 'floats' || floats?.kind === 'ints') return vector('float32', floats.value);
  return undefined;
};

const intsOf = (tensor: Tensor): readonly number[] | undefined =>
  (tensor.dtype === 'int64' || tensor.dtype === 'int32' || tensor.dtype === 'bool') &&
  elementCount(tensor.dims) <= LONGEST_LIST
    ? numbersOf(tensor)
    : undefined;

/** A tensor written into the graph as a node. */
export const constant: OpDef = {
  domain: '',
  op: 'Constant',
  since: 1,
  infer: (call) => {
    const tensor = tensorOfConstant(call.node);
    if (tensor === undefined) {
      throw refusal(`${describe(call)} has none of the attributes value, value_int(s), value_float(s)`);
    }
    return [withInts({ dtype: tensor.dtype, shape: tensor.dims }, intsOf(tensor))];
  },
  gradient: 'stop',
  cut: () => refuse('is a constant inside a node: fold it into an initializer before cutting'),
  macs: noMacs,
  samples: [
    { name: 'a tensor', inputs: [], attrs: { value: vector('float32', [1, 2, 3, 4, 5, 6], [2, 3]) } },
    { name: 'integers', inputs: [], attrs: { value: vector('int64', [2, 3]) } },
  ],
};

const inferOfShape = (call: Call): readonly Inferred[] => {
  const fill = tensorAttr(call.node, 'value');
  const dtype = fill?.dtype ?? 'float32';
  const rank = call.inputs[0]?.shape?.[0];
  const open = typeof rank === 'number' ? Array.from({ length: rank }, (_, i) => freshDim(call, 0, i)) : undefined;
  const shape: readonly Dim[] | undefined = call.ints(0) ?? open;
  if (fill === undefined || shape === undefined || !isNumeric(shape) || elementCount(shape) > LONGEST_LIST) {
    return [{ dtype, shape }];
  }
  const [element] = intsOf(fill) ?? [];
  const ints = element === undefined ? undefined : new Array<Dim>(elementCount(shape)).fill(element);
  return [withInts({ dtype, shape }, ints)];
};

const resize: Resize = (call, sizes) => {
  const [output] = call.node.outputs;
  const to = output === undefined ? undefined : sizes(output);
  if (to === undefined || !isNumeric(to) || numbersAt(call, 0) === undefined) return {};
  return { inputs: [vector('int64', to)] };
};

/** One element in every place of a shape: any index can go, only the shape has to say so. */
export const constantOfShape: OpDef = {
  domain: '',
  op: 'ConstantOfShape',
  since: 9,
  infer: inferOfShape,
  gradient: 'stop',
  cut: (call, cut) => {
    if (cut.value === call.node.inputs[0]) return refuse('cannot lose entries of its shape');
    return numbersAt(call, 0) === undefined ? refuse('gets its shape from a computation') : nothing;
  },
  resize,
  target: { input: 0, entries: (_, output) => output },
  macs: noMacs,
  samples: [
    { name: 'zeros', inputs: [{ dtype: 'int64', dims: [2], data: [2, 3], constant: true }] },
    {
      name: 'integers',
      inputs: [{ dtype: 'int64', dims: [1], data: [4], constant: true }],
      attrs: { value: vector('int64', [7]) },
    },
    {
      name: 'a shape that is fed',
      inputs: [{ dtype: 'int64', dims: [2], data: [2, 3] }],
      attrs: { value: vector('float32', [0.5]) },
    },
  ],
};
