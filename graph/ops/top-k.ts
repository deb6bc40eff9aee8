import { refusal } from '../../ground/errors.ts';
import type { Call, Inferred, OpDef } from '../op.ts';
import { cutsOf, refuse, ruleByPort } from './shared-cuts.ts';
import { zerosLike } from './shared-emit.ts';
import { freshDim, inputOf, intAttr, isFloat, noMacs, normalizeAxis } from './shared-structure.ts';

const axisOf = (call: Call, rank: number): number => normalizeAxis(call, intAttr(call.node, 'axis', -1), rank);

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  if (shape === undefined)
    return [
      { dtype, shape },
      { dtype: 'int64', shape },
    ];
  const axis = axisOf(call, shape.length);
  const k = call.ints(1)?.[0] ?? freshDim(call, 0, axis);
  const dims = shape.map((dim, i) => (i === axis ? k : dim));
  return [
    { dtype, shape: dims },
    { dtype: 'int64', shape: dims },
  ];
};

const k = (count: number) => ({ dtype: 'int64', dims: [1], data: [count], constant: true }) as const;

/** The k largest (or smallest) elements along an axis and where they stood. dx puts dy back there, zeros elsewhere. */
export const topK: OpDef = {
  domain: '',
  op: 'TopK',
  since: 11,
  infer,
  gradient: (emit, call, [dy]) => {
    const [x] = call.node.inputs;
    const [, indices] = call.node.outputs;
    if (dy == null || x == null || !isFloat(inputOf(call, 0).dtype)) return [null, null];
    if (indices === undefined) throw refusal(`TopK '${call.node.name}' needs its indices output for its gradient`);
    const axis = intAttr(call.node, 'axis', -1);
    return [emit.op('ScatterElements', [zerosLike(emit, x), indices, dy], { axis }), null];
  },
  cut: ruleByPort(infer, (call, port, cut, ports) => {
    const [x, count, ...outputs] = ports;
    if (x?.shape === undefined || port === count) return refuse('cannot lose its count or an unknown axis');
    if (cut.axis === axisOf(call, x.shape.length)) return refuse(`ranks the indices of axis ${cut.axis}`);
    return { cuts: [x, ...outputs].flatMap((p) => cutsOf(p.value, cut.axis, cut.owner)) };
  }),
  masks: () => [0],
  macs: noMacs,
  samples: [
    { name: 'largest of the last axis', inputs: [{ dtype: 'float32', dims: [3, 5] }, k(2)], outputs: 2 },
    {
      name: 'smallest of the first axis',
      inputs: [{ dtype: 'float32', dims: [5, 3] }, k(3)],
      attrs: { axis: 0, largest: 0 },
      outputs: 2,
    },
  ],
};
