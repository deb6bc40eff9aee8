import { refusal } from '../../ground/errors.ts';
import { addDims, type Dim } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Inferred, OpDef } from '../op.ts';
import { cutsOf, refuse, ruleByPort } from './shared-cuts.ts';
import {
  describe,
  freshDim,
  inputOf,
  isFloat,
  noMacs,
  normalizeAxis,
  numbersAt,
  stringAttr,
} from './shared-structure.ts';
import { passed } from './shared-uses.ts';

/** Elements added before and after every axis (negative where some are taken away); undefined where not known. */
export const padsOf = (call: Call, rank: number): { before: readonly Dim[]; after: readonly Dim[] } | undefined => {
  const pads = call.ints(1);
  const named = call.node.inputs[3] == null ? Array.from({ length: rank }, (_, axis) => axis) : numbersAt(call, 3);
  if (pads === undefined || named === undefined) return undefined;
  const axes = named.map((axis) => normalizeAxis(call, axis, rank));
  const side = (offset: number): readonly Dim[] =>
    Array.from({ length: rank }, (_, axis) => {
      const slot = axes.indexOf(axis);
      return slot < 0 ? 0 : (pads[offset + slot] ?? 0);
    });
  return { before: side(0), after: side(axes.length) };
};

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  const pads = padsOf(call, shape?.length ?? 0);
  return [
    {
      dtype,
      shape: shape?.map((dim, axis) =>
        pads === undefined
          ? freshDim(call, 0, axis)
          : addDims(dim, addDims(pads.before[axis] ?? 0, pads.after[axis] ?? 0)),
      ),
    },
  ];
};

/** dx takes the padding away again: padding by -p. The padding's own value gets what is left of the sum of dy. */
const gradientOf = (emit: Emit, call: Call, dy: Value): readonly (Value | null)[] => {
  const mode = stringAttr(call.node, 'mode', 'constant');
  if (mode !== 'constant') throw refusal(`${describe(call)}: no gradient for mode '${mode}', only for 'constant'`);
  const [, pads, fill, axes] = call.node.inputs;
  if (pads == null) return [null];
  const known = numbersAt(call, 1);
  const back = known === undefined ? emit.op('Neg', [pads]) : emit.ints(known.map((pad) => 0 - pad));
  const dx = emit.op('Pad', axes == null ? [dy, back] : [dy, back, null, axes]);
  if (fill == null || call.constant(2) !== undefined || !isFloat(inputOf(call, 2).dtype)) return [dx, null, null, null];
  const total = emit.op('ReduceSum', [dy], { keepdims: 0 });
  return [dx, null, emit.op('Sub', [total, emit.op('ReduceSum', [dx], { keepdims: 0 })]), null];
};

const list = (data: readonly number[]) => ({ dtype: 'int64', dims: [data.length], data, constant: true }) as const;
const x = { dtype: 'float32', dims: [2, 3] } as const;

const record = {
  domain: '',
  op: 'Pad',
  uses: passed,
  infer,
  gradient: (emit, call, [dy]) => {
    const gradients = dy == null ? [null] : gradientOf(emit, call, dy);
    return call.node.inputs.map((_, i) => gradients[i] ?? null);
  },
  cut: ruleByPort(infer, (call, port, cut, ports) => {
    const [input] = ports;
    const output = ports.find((p) => p.kind === 'output');
    const rank = input?.shape?.length;
    if (input === undefined || output === undefined || rank === undefined) return refuse('has an unknown shape');
    if (port.kind === 'input' && port !== input) return refuse(`cannot lose parts of its input ${port.position}`);
    const pads = padsOf(call, rank);
    const before = pads?.before[cut.axis];
    const after = pads?.after[cut.axis];
    if (typeof before !== 'number' || typeof after !== 'number') return refuse('has pads that are not constant');
    if (before !== 0 || after !== 0) {
      if (stringAttr(call.node, 'mode', 'constant') !== 'constant') return refuse(`repeats parts of axis ${cut.axis}`);
      if (before < 0 || after < 0) return refuse(`takes parts of axis ${cut.axis} away`);
    }
    if (port === output) {
      const end = cut.owner.length - after;
      const padding = [...cut.owner.slice(0, before), ...cut.owner.slice(end)];
      const merges = padding.filter((unit) => unit >= 0).map((unit) => [unit, -1] as const);
      return { cuts: cutsOf(input.value, cut.axis, cut.owner.slice(before, end)), merges };
    }
    const owner = new Int32Array(before + cut.owner.length + after).fill(-1);
    owner.set(cut.owner, before);
    return { cuts: cutsOf(output.value, cut.axis, owner) };
  }),
  masks: () => [0],
  macs: noMacs,
} as const satisfies Omit<OpDef, 'since' | 'samples'>;

const samples: OpDef['samples'] = [
  { name: 'both ends', inputs: [x, list([1, 0, 2, 1])] },
  { name: 'with a value', inputs: [x, list([0, 2, 0, 0]), { dtype: 'float32', dims: [], data: [3], constant: true }] },
  { name: 'with a computed value', inputs: [x, list([0, 2, 0, 0]), { dtype: 'float32', dims: [] }] },
  { name: 'takes away', inputs: [x, list([-1, 1, 0, -1])] },
];

/** x with a border of a constant; opset 18 can name the axes. */
export const pad: readonly OpDef[] = [
  { ...record, since: 11, samples },
  { ...record, since: 18, samples: [...samples, { name: 'named axes', inputs: [x, list([1, 2]), null, list([-1])] }] },
];
