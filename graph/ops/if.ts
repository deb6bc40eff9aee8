import type { Graph, TensorType } from '../graph.ts';
import type { Call, Inferred, OpDef } from '../op.ts';
import { refuseCut } from './shared-cuts.ts';
import { freshDim, noMacs } from './shared-structure.ts';

const branchesOf = ({ node: { attrs } }: Call): readonly Graph[] =>
  [attrs.then_branch, attrs.else_branch].flatMap((branch) => (branch?.kind === 'graph' ? [branch.value] : []));

/** What both types say: sizes that differ are those of one branch or the other. */
const meet = (call: Call, output: number, a: TensorType, b: TensorType): Inferred | undefined => {
  if (a.dtype !== b.dtype) return undefined;
  if (a.shape === undefined || b.shape?.length !== a.shape.length) return { dtype: a.dtype, shape: undefined };
  const { shape } = b;
  return {
    dtype: a.dtype,
    shape: a.shape.map((dim, axis) => (dim === shape[axis] ? dim : freshDim(call, output, axis))),
  };
};

const typeAt = ({ outputs, types }: Graph, position: number): TensorType | undefined => {
  const output = outputs[position];
  return output === undefined ? undefined : types.get(output);
};

/** What the branches say of one output; undefined where one of them does not know. */
const outputType = (call: Call, output: number): Inferred | undefined => {
  const types = branchesOf(call).map((branch) => typeAt(branch, output));
  const [first, ...others] = types;
  return others.reduce<Inferred | undefined>(
    (met, type) => (met === undefined || type === undefined ? undefined : meet(call, output, met, type)),
    first,
  );
};

/** Types of the outputs up to the first that is not known. */
const infer = (call: Call): readonly Inferred[] => {
  const types = call.node.outputs.map((_, output) => outputType(call, output));
  const end = types.indexOf(undefined);
  return types.slice(0, end < 0 ? types.length : end).filter((type) => type !== undefined);
};

/** One of two graphs, which read the values around them. Choose a branch before training or cutting. */
export const choice: OpDef = {
  domain: '',
  op: 'If',
  since: 1,
  infer,
  gradient: 'none',
  cut: refuseCut('chooses between two graphs, which would have to be cut as well'),
  macs: noMacs,
  samples: [],
};
