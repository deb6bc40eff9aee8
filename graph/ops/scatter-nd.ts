import { refusal } from '../../ground/errors.ts';
import type { Call, Inferred, OpDef, SampleInput } from '../op.ts';
import { cutsOf, refuse, ruleByPort } from './shared-cuts.ts';
import { named, zerosLike } from './shared-emit.ts';
import { describe, inputOf, isFloat, noMacs, stringAttr } from './shared-structure.ts';

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [{ dtype, shape }];
};

const x = { dtype: 'float32', dims: [4, 3] } as const;
const replaces = {
  name: 'replaces rows',
  inputs: [x, { dtype: 'int64', dims: [2, 1], data: [3, 0] }, { dtype: 'float32', dims: [2, 3] }],
} as const;
const element: readonly SampleInput[] = [
  x,
  { dtype: 'int64', dims: [3, 2], data: [0, 1, 3, 2, 0, 1] },
  { dtype: 'float32', dims: [3] },
];

/**
 * x with slices replaced (or added to) at index tuples. Replaced: dx = dy with zeros there, dupdates = dy there. Added:
 * dx = dy.
 */
export const scatterND: readonly OpDef[] = [11, 16].map((since) => ({
  domain: '',
  op: 'ScatterND',
  since,
  infer,
  gradient: (emit, call, [dy]) => {
    const [, indices, updates] = call.node.inputs;
    if (dy == null || indices == null || updates == null || !isFloat(inputOf(call, 0).dtype)) return [null, null, null];
    const picked = named(emit, emit.op('GatherND', [dy, indices]), updates);
    const reduction = stringAttr(call.node, 'reduction', 'none');
    if (reduction === 'add') return [dy, null, picked];
    if (reduction !== 'none') throw refusal(`${describe(call)}: no gradient for reduction '${reduction}'`);
    return [emit.op('ScatterND', [dy, indices, zerosLike(emit, updates)]), null, picked];
  },
  cut: ruleByPort(infer, (call, port, cut, ports) => {
    const [data, indices, updates, output] = ports;
    const depth = indices?.shape?.at(-1);
    const tuples = (indices?.shape?.length ?? 0) - 1;
    if (data === undefined || indices === undefined || updates === undefined || output === undefined) {
      return refuse('has an unknown shape');
    }
    if (typeof depth !== 'number') return refuse('has index tuples of unknown length');
    if (port === data || port === output) {
      if (cut.axis < depth) return refuse(`writes axis ${cut.axis} of '${data.value}' by number`);
      const whole = [data, output].flatMap((p) => cutsOf(p.value, cut.axis, cut.owner));
      return { cuts: [...whole, ...cutsOf(updates.value, tuples + cut.axis - depth, cut.owner)] };
    }
    if (port === updates && cut.axis >= tuples) {
      const axis = cut.axis - tuples + depth;
      return { cuts: [data, output].flatMap((p) => cutsOf(p.value, axis, cut.owner)) };
    }
    if (port === indices && cut.axis === tuples) return refuse('cannot lose parts of its index tuples');
    if (stringAttr(call.node, 'reduction', 'none') !== 'add') {
      return refuse('replaces slices: what is under a missing one would show');
    }
    return { cuts: [indices, updates].flatMap((p) => cutsOf(p.value, cut.axis, cut.owner)) };
  }),
  masks: () => [0],
  macs: noMacs,
  samples:
    since < 16 ? [replaces] : [replaces, { name: 'adds to elements', inputs: element, attrs: { reduction: 'add' } }],
}));
