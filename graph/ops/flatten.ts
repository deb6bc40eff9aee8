import { productOf } from '../dim.ts';
import type { Call, Inferred, OpDef } from '../op.ts';
import { refuse, ruleByPort } from './shared-cuts.ts';
import { reshapeLike } from './shared-emit.ts';
import { carryThroughReshape } from './shared-factors.ts';
import { inputOf, intAttr, noMacs, withInts } from './shared-structure.ts';
import { passed } from './shared-uses.ts';

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  if (shape === undefined) return [{ dtype, shape }];
  const axis = intAttr(call.node, 'axis', 1);
  const at = axis < 0 ? axis + shape.length : axis;
  return [withInts({ dtype, shape: [productOf(shape.slice(0, at)), productOf(shape.slice(at))] }, call.ints(0))];
};

/** Two axes: what stands before `axis`, and the rest. */
export const flatten: OpDef = {
  domain: '',
  op: 'Flatten',
  uses: passed,
  view: true,
  since: 9,
  infer,
  gradient: (emit, call, [dy]) => {
    const [x] = call.node.inputs;
    return [dy == null || x == null ? null : reshapeLike(emit, dy, x)];
  },
  cut: ruleByPort(infer, (_call, port, cut, ports) => {
    const other = ports.find((p) => p.kind !== port.kind);
    if (port.shape === undefined || other?.shape === undefined) return refuse('has an unknown shape');
    return carryThroughReshape(port.shape, cut.axis, cut.owner, { value: other.value, shape: other.shape });
  }),
  macs: noMacs,
  samples: [
    { name: 'after the first axis', inputs: [{ dtype: 'float32', dims: [2, 3, 4] }] },
    { name: 'before the last axis', inputs: [{ dtype: 'float32', dims: [2, 3, 4] }], attrs: { axis: -1 } },
    { name: 'everything', inputs: [{ dtype: 'float32', dims: [2, 3] }], attrs: { axis: 0 } },
  ],
};
