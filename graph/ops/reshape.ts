import { type Dim, type Shape, symbol } from '../dim.ts';
import type { Call, Inferred, OpDef, Resize } from '../op.ts';
import { vector } from '../tensor.ts';
import { refuse, ruleByPort } from './shared-cuts.ts';
import { reshapeEntries, reshapeLike } from './shared-emit.ts';
import { carryThroughReshape } from './shared-factors.ts';
import {
  freshDim,
  inputOf,
  intAttr,
  isNumeric,
  noMacs,
  numbersAt,
  resolveReshape,
  withInts,
} from './shared-structure.ts';
import { passed } from './shared-uses.ts';

/** Whether a zero of the target is a size; else it copies one. */
const takesZeros = (call: Call): boolean => intAttr(call.node, 'allowzero', 0) === 1;

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  const target = call.ints(1);
  if (target === undefined) {
    const rank = call.inputs[1]?.shape?.[0];
    const open = typeof rank === 'number' ? Array.from({ length: rank }, (_, i) => freshDim(call, 0, i)) : undefined;
    return [{ dtype, shape: open }];
  }
  return [withInts({ dtype, shape: resolveReshape(call, shape, target, takesZeros(call)) }, call.ints(0))];
};

/** The old entries where they still hold, else the new sizes; undefined where constants cannot express the shape. */
const retarget = (old: readonly number[] | undefined, from: Shape, to: Shape): readonly number[] | undefined => {
  const kept = old?.map((entry, axis): Dim => {
    if (entry === 0) return from[axis] === to[axis] ? 0 : (to[axis] ?? symbol('unknown'));
    return entry === -1 ? -1 : (to[axis] ?? symbol('unknown'));
  });
  const numbers = kept?.filter((entry) => typeof entry === 'number');
  return numbers !== undefined && numbers.length === to.length ? numbers : reshapeEntries(from, to);
};

/** Where zeros are sizes, none can copy; without a size of zero, sizes can be said the other way. */
const literalSizes = (to: Shape): readonly number[] | undefined => (isNumeric(to) && to.includes(0) ? to : undefined);

const resize: Resize = (call, sizes) => {
  const { inputs, outputs, attrs } = call.node;
  const from = inputs[0] == null ? undefined : sizes(inputs[0]);
  const to = outputs[0] === undefined ? undefined : sizes(outputs[0]);
  if (from === undefined || to === undefined) return {};
  const old = numbersAt(call, 1);
  const literal = takesZeros(call) ? literalSizes(to) : undefined;
  const entries = literal ?? retarget(old, from, to);
  if (entries === undefined || entries.join() === old?.join()) return {};
  const { allowzero: _, ...copying } = attrs;
  return { inputs: [undefined, vector('int64', entries)], attrs: literal === undefined ? copying : attrs };
};

const weight = (name: string, dims: readonly number[], target: readonly number[]) => ({
  name,
  inputs: [
    { dtype: 'float32', dims } as const,
    { dtype: 'int64', dims: [target.length], data: target, constant: true } as const,
  ],
});

/** The same elements in the same order under another shape; 0 copies a size, -1 takes what is left. */
export const reshape: OpDef = {
  domain: '',
  op: 'Reshape',
  uses: passed,
  view: true,
  since: 5,
  infer,
  gradient: (emit, call, [dy]) => [
    dy == null || call.node.inputs[0] == null ? null : reshapeLike(emit, dy, call.node.inputs[0]),
    null,
  ],
  cut: ruleByPort(infer, (_call, port, cut, ports) => {
    if (port.kind === 'input' && port.position !== 0) return refuse('cannot lose entries of its target shape');
    const other = ports.find((p) => p.kind !== port.kind && p.position === 0);
    if (port.shape === undefined || other?.shape === undefined) return refuse('has an unknown shape');
    return carryThroughReshape(port.shape, cut.axis, cut.owner, { value: other.value, shape: other.shape });
  }),
  resize,
  target: { input: 1, entries: (_, output) => output },
  macs: noMacs,
  samples: [
    weight('splits heads', [2, 3, 8], [0, 0, 4, 2]),
    weight('joins heads', [2, 3, 4, 2], [0, 0, 8]),
    weight('flattens with a hole', [2, 3, 4], [-1, 4]),
    weight('adds ones', [2, 3], [1, 2, 1, 3]),
    weight('regroups', [6, 4], [8, 3]),
  ],
};
