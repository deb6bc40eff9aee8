import { refusal } from '../../ground/errors.ts';
import type { Dim } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Inferred, OpDef } from '../op.ts';
import { cutsOf, type Port, refuse, ruleByPort } from './shared-cuts.ts';
import { entryOf, type SizeEntry, sizesVector } from './shared-emit.ts';
import { freshDim, inputOf, intAttr, noMacs, normalizeAxis, sumOf, withInts } from './shared-structure.ts';
import { everyInput } from './shared-uses.ts';

const joinedInts = (call: Call): readonly Dim[] | undefined => {
  const parts = call.node.inputs.map((_, i) => call.ints(i));
  const known = parts.filter((part) => part !== undefined);
  return known.length === parts.length ? known.flat() : undefined;
};

const infer = (call: Call): readonly Inferred[] => {
  const { dtype } = inputOf(call, 0);
  const shapes = call.node.inputs.map((_, i) => inputOf(call, i).shape);
  const first = shapes.find((shape) => shape !== undefined);
  if (first === undefined) return [{ dtype, shape: undefined }];
  const axis = normalizeAxis(call, intAttr(call.node, 'axis', 0), first.length);
  const known = shapes.filter((shape) => shape !== undefined);
  const dims = first.map((_, i) => {
    const sizes = known.map((shape) => shape[i] ?? 1);
    if (i !== axis) return sizes.find((size) => typeof size === 'number') ?? sizes[0] ?? 1;
    return known.length === shapes.length ? sumOf(sizes) : freshDim(call, 0, axis);
  });
  const odd = known.find((shape) => shape.some((dim, i) => i !== axis && typeof dim === 'number' && dim !== dims[i]));
  if (odd !== undefined) {
    throw refusal(
      `Concat '${call.node.name}': [${odd.join(', ')}] does not fit [${dims.join(', ')}] outside axis ${axis}`,
    );
  }
  return [withInts({ dtype, shape: dims }, dims.length === 1 ? joinedInts(call) : undefined)];
};

/** dy split at the seams. */
const split = (emit: Emit, call: Call, dy: Value): readonly Value[] => {
  const rank = inputOf(call, 0).shape?.length ?? 0;
  const axis = normalizeAxis(call, intAttr(call.node, 'axis', 0), rank);
  const values = call.node.inputs.filter((input) => input !== null);
  const entries = values.map((v) => entryOf(emit, v, axis));
  const computed = entries.some((entry) => typeof entry !== 'number');
  if (computed && emit.opset < 13) return slices(emit, dy, entries, axis);
  return emit.ops('Split', [dy, sizesVector(emit, entries)], values.length, { axis });
};

/** The parts one by one: before opset 13 Split takes no sizes that are computed. */
const slices = (emit: Emit, dy: Value, entries: readonly SizeEntry[], axis: number): readonly Value[] => {
  let start = emit.ints([0]);
  return entries.map((entry) => {
    const end = emit.op('Add', [start, sizesVector(emit, [entry])]);
    const part = emit.op('Slice', [dy, start, end, emit.ints([axis])]);
    start = end;
    return part;
  });
};

/** Where each input starts along the axis; undefined once a symbolic size has been passed. */
const offsets = (inputs: readonly Port[], axis: number): readonly (number | undefined)[] => {
  let offset: number | undefined = 0;
  return inputs.map((port) => {
    const start = offset;
    const size = port.shape?.[axis];
    offset = start === undefined || typeof size !== 'number' ? undefined : start + size;
    return start;
  });
};

/** Values joined along one axis. */
export const concat: OpDef = {
  domain: '',
  op: 'Concat',
  uses: everyInput('table'),
  since: 4,
  infer,
  alike: 'all',
  gradient: (emit, call, [dy]) =>
    dy == null ? call.node.inputs.map(() => null) : call.node.inputs.length === 1 ? [dy] : split(emit, call, dy),
  cut: ruleByPort(infer, (call, port, cut, ports) => {
    const inputs = ports.filter((p) => p.kind === 'input');
    const output = ports.find((p) => p.kind === 'output');
    const shape = output?.shape;
    if (output === undefined || shape === undefined) return refuse('has an unknown shape');
    const axis = normalizeAxis(call, intAttr(call.node, 'axis', 0), shape.length);
    if (cut.axis !== axis) {
      return { cuts: [...inputs, output].flatMap((p) => cutsOf(p.value, cut.axis, cut.owner)) };
    }
    const starts = offsets(inputs, axis);
    const total = shape[axis];
    if (typeof total !== 'number') return refuse(`joins symbolic sizes along axis ${axis}`);
    if (port.kind === 'input') {
      const owner = new Int32Array(total).fill(-1);
      owner.set(cut.owner, starts[inputs.indexOf(port)] ?? 0);
      return { cuts: cutsOf(output.value, axis, owner) };
    }
    return {
      cuts: inputs.flatMap((p, i) => {
        const start = starts[i] ?? 0;
        const size = p.shape?.[axis];
        return cutsOf(p.value, axis, cut.owner.slice(start, start + (typeof size === 'number' ? size : 0)));
      }),
    };
  }),
  macs: noMacs,
  samples: [
    {
      name: 'unequal parts',
      inputs: [
        { dtype: 'float32', dims: [2, 3] },
        { dtype: 'float32', dims: [2, 1] },
        { dtype: 'float32', dims: [2, 4] },
      ],
      attrs: { axis: 1 },
    },
    {
      name: 'from the end',
      inputs: [
        { dtype: 'float32', dims: [2, 3, 2] },
        { dtype: 'float32', dims: [2, 5, 2] },
      ],
      attrs: { axis: -2 },
    },
    { name: 'one part', inputs: [{ dtype: 'float32', dims: [2, 3] }], attrs: { axis: 0 } },
  ],
};
