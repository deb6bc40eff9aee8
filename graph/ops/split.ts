import { refusal } from '../../ground/errors.ts';
import { type Dim, divideDims } from '../dim.ts';
import type { Call, Inferred, OpDef, Resize } from '../op.ts';
import { vector } from '../tensor.ts';
import { cutsOf, refuse, ruleByPort } from './shared-cuts.ts';
import { named, zerosLike } from './shared-emit.ts';
import { describe, freshDim, inputOf, intAttr, intsAttr, noMacs, normalizeAxis, withInts } from './shared-structure.ts';
import { passed } from './shared-uses.ts';

const axisOf = (call: Call, rank: number): number => normalizeAxis(call, intAttr(call.node, 'axis', 0), rank);

/** Equal parts, the last one smaller where the size does not divide (opset 18 and later). */
const equalParts = (call: Call, size: Dim, count: number, axis: number): readonly Dim[] => {
  const part = divideDims(size, count);
  if (part !== undefined) return Array.from({ length: count }, () => part);
  if (typeof size !== 'number') return Array.from({ length: count }, (_, i) => freshDim(call, i, axis));
  const chunk = Math.ceil(size / count);
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(chunk, size - i * chunk)));
};

const sizesOf = (call: Call, size: Dim, axis: number): readonly Dim[] => {
  const count = call.node.outputs.length;
  const given = intsAttr(call.node, 'split') ?? call.ints(1);
  if (given === undefined && call.node.inputs[1] != null) {
    return Array.from({ length: count }, (_, i) => freshDim(call, i, axis));
  }
  const sizes = given ?? equalParts(call, size, count, axis);
  if (sizes.length !== count) {
    throw refusal(`${describe(call)}: ${sizes.length} sizes for ${count} outputs`);
  }
  return sizes;
};

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  if (shape === undefined) return call.node.outputs.map(() => ({ dtype, shape }));
  const axis = axisOf(call, shape.length);
  const ints = shape.length === 1 ? call.ints(0) : undefined;
  let offset = 0;
  return sizesOf(call, shape[axis] ?? 1, axis).map((size) => {
    const start = offset;
    offset += typeof size === 'number' ? size : Number.NaN;
    const part = Number.isNaN(offset) ? undefined : ints?.slice(start, offset);
    return withInts({ dtype, shape: shape.map((dim, i) => (i === axis ? size : dim)) }, part);
  });
};

const resize: Resize = (call, sizes) => {
  const shape = inputOf(call, 0).shape;
  if (shape === undefined) return {};
  const axis = axisOf(call, shape.length);
  const parts = call.node.outputs.map((output) => sizes(output)?.[axis]);
  const numbers = parts.filter((part) => typeof part === 'number');
  if (numbers.length < parts.length) return {};
  const given = intsAttr(call.node, 'split') ?? call.ints(1);
  const total = numbers.reduce((a, b) => a + b, 0);
  if ((given ?? equalParts(call, total, numbers.length, axis)).join() === numbers.join()) return {};
  const { num_outputs: _, ...attrs } = call.node.attrs;
  if (call.opset < 13) return { attrs: { ...attrs, split: { kind: 'ints', value: numbers } } };
  return { attrs, inputs: [undefined, vector('int64', numbers)] };
};

const record = {
  domain: '',
  op: 'Split',
  uses: passed,
  infer,
  /** dx joins the dy of the parts; a part that no gradient reaches counts as zeros. */
  gradient: (emit, call, dy) => {
    const rest = call.node.inputs.slice(1).map(() => null);
    if (dy.every((part) => part == null)) return [null, ...rest];
    const parts = call.node.outputs.map((output, i) => dy[i] ?? zerosLike(emit, output));
    const axis = axisOf(call, inputOf(call, 0).shape?.length ?? 0);
    const [x] = call.node.inputs;
    const dx = emit.op('Concat', parts, { axis });
    return [x == null ? dx : named(emit, dx, x), ...rest];
  },
  cut: ruleByPort(infer, (call, port, cut, ports) => {
    const [input] = ports;
    const outputs = ports.filter((p) => p.kind === 'output');
    const rank = input?.shape?.length;
    if (input === undefined || rank === undefined) return refuse('has an unknown shape');
    if (port.kind === 'input' && port.position !== 0) return refuse('cannot lose entries of its sizes');
    const axis = axisOf(call, rank);
    if (cut.axis !== axis) return { cuts: [input, ...outputs].flatMap((p) => cutsOf(p.value, cut.axis, cut.owner)) };
    const sizes = outputs.map((p) => p.shape?.[axis]).filter((size) => typeof size === 'number');
    const total = input.shape?.[axis];
    if (sizes.length < outputs.length || typeof total !== 'number') {
      return refuse(`has symbolic sizes along axis ${axis}`);
    }
    const startOf = (i: number): number => sizes.slice(0, i).reduce((a, b) => a + b, 0);
    if (port.kind === 'output') {
      const owner = new Int32Array(total).fill(-1);
      owner.set(cut.owner, startOf(port.position));
      return { cuts: cutsOf(input.value, axis, owner) };
    }
    return { cuts: outputs.flatMap((p, i) => cutsOf(p.value, axis, cut.owner.slice(startOf(i), startOf(i + 1)))) };
  }),
  masks: () => [0],
  resize,
  macs: noMacs,
} as const satisfies Omit<OpDef, 'since' | 'samples'>;

const x = { dtype: 'float32', dims: [2, 6, 3] } as const;
const equal = { name: 'equal parts', inputs: [x], outputs: 3, attrs: { axis: 1 } };

/** Consecutive parts along one axis: sizes are an attribute before opset 13, an input since; opset 18 counts outputs. */
export const split: readonly OpDef[] = [
  {
    ...record,
    since: 2,
    samples: [equal, { name: 'sizes as attribute', inputs: [x], outputs: 2, attrs: { axis: -2, split: [2, 4] } }],
  },
  {
    ...record,
    since: 13,
    samples: [
      equal,
      {
        name: 'unequal parts',
        inputs: [x, { dtype: 'int64', dims: [3], data: [1, 3, 2], constant: true }],
        outputs: 3,
        attrs: { axis: -2 },
      },
    ],
  },
  {
    ...record,
    since: 18,
    samples: [
      { ...equal, attrs: { axis: 1, num_outputs: 3 } },
      {
        name: 'smaller last part',
        inputs: [{ dtype: 'float32', dims: [2, 7] }],
        outputs: 4,
        attrs: { axis: 1, num_outputs: 4 },
      },
      {
        name: 'unequal parts',
        inputs: [x, { dtype: 'int64', dims: [3], data: [1, 3, 2], constant: true }],
        outputs: 3,
        attrs: { axis: -2 },
      },
    ],
  },
];
