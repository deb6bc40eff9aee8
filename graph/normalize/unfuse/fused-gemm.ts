import { type Attributes, value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import { type Fused, isComputed, numberOf, outputAt, type Unfusion } from './fused.ts';
import { fusedNode, sampleOf, weight } from './samples.ts';

/** Functions that may stand behind, with the names of their settings. */
const activations: Readonly<Record<string, readonly string[]>> = {
  Relu: [],
  Tanh: [],
  Sigmoid: [],
  LeakyRelu: ['alpha'],
  HardSigmoid: ['alpha', 'beta'],
  Elu: ['alpha'],
};

const activationOf = ({ node: { attrs } }: Fused): string | undefined => {
  const { activation } = attrs;
  return activation?.kind === 'string' && activation.value in activations ? activation.value : undefined;
};

const settings = (at: Fused, names: readonly string[]): AttributeInput =>
  Object.fromEntries(
    names
      .filter((name) => at.node.attrs[`activation_${name}`] !== undefined)
      .map((name) => [name, { float: numberOf(at, `activation_${name}`, 0) }]),
  );

const write = (at: Fused, activation: string): void => {
  const { builder, node } = at;
  const output = outputAt(at, 0);
  const product = value(`${output}/product`);
  const attrs: Attributes = Object.fromEntries(
    Object.entries(node.attrs).filter(([name]) => !name.startsWith('activation')),
  );
  builder.add({ ...node, domain: '', op: 'Gemm', name: product, outputs: [product], attrs });
  builder.op(activation, [product], settings(at, activations[activation] ?? []), output);
};

const sample = (activation: string, attrs: AttributeInput = {}) =>
  sampleOf(activation, (builder, { x }) => {
    const rows = builder.op('Reshape', [x, builder.ints([-1, 8])]);
    const inputs = [rows, weight(builder, 'weight', 6, 8), weight(builder, 'bias', 6)];
    const shape = [builder.type(rows).shape?.[0] ?? 1, 6];
    return fusedNode(builder, 'com.microsoft:FusedGemm', inputs, [shape], { transB: 1, activation, ...attrs });
  });

/** A matrix product with an activation behind it. */
export const fusedGemm: Unfusion = {
  domain: 'com.microsoft',
  op: 'FusedGemm',
  plan: (at) => {
    const activation = activationOf(at);
    return activation === undefined || !isComputed(at) ? undefined : () => write(at, activation);
  },
  changes: [
    sample('Relu'),
    sample('Tanh', { alpha: 0.5, beta: 1.5 }),
    sample('LeakyRelu', { activation_alpha: 0.3 }),
    sample('Sigmoid'),
    sample('HardSigmoid', { activation_alpha: 0.3, activation_beta: 0.4 }),
  ],
  leaves: [sample('Softsign')],
};
