import type { Graph, Node } from '../../../graph/graph.ts';
import { lower } from '../../../graph/lower/index.ts';
import { lowering } from './provider.ts';

/** Operators without a kernel in ONNX Runtime's provider for WebGPU: what is left of them after lowering runs on the CPU. */
const withoutKernel: ReadonlySet<string> = new Set([
  ...['DynamicQuantizeLinear', 'MatMulInteger', 'QuantizeLinear'],
  ...['com.microsoft:DynamicQuantizeMatMul', 'com.microsoft:MatMulIntegerToFloat', 'com.microsoft:QAttention'],
  ...['com.microsoft:EmbedLayerNormalization', 'com.microsoft:FusedGemm', 'com.microsoft:FusedMatMul'],
  ...['Dropout', 'LogSoftmax', 'Mean', 'Sum', 'IsNaN', 'Or', 'Xor', 'Sign'],
  ...['EyeLike', 'IsInf', 'Mod', 'NonZero', 'OneHot', 'Round', 'Unique', 'Selu', 'Softsign', 'Compress'],
]);

const nameOf = ({ domain, op }: Node): string => (domain === '' ? op : `${domain}:${op}`);

/** WGSL has no numbers of 64 bits. */
const isWideCast = ({ types }: Graph, { op, inputs, outputs }: Node): boolean =>
  op === 'Cast' && [...inputs, ...outputs].some((name) => name !== null && /64$/.test(types.get(name)?.dtype ?? ''));

/** Operators of a graph that the CPU would have to compute. */
export const lackingIn = (graph: Graph): readonly string[] => {
  const { graph: lowered } = lower(graph, lowering);
  const left = lowered.nodes.filter((node) => withoutKernel.has(nameOf(node)) || isWideCast(lowered, node));
  return [...new Set(left.map(nameOf))];
};

/** What conformance tests ask of every engine and this one cannot do, by their names. */
export const lacks: readonly string[] = [
  // No kernel computes in 8 bits.
  ...['QuantizeLinear since 10', 'DynamicQuantizeLinear since 11', 'MatMulInteger since 10'],
  ...['com.microsoft:DynamicQuantizeMatMul since 1', 'com.microsoft:MatMulIntegerToFloat since 1'],
  ...['com.microsoft:QAttention since 1', 'a student in 8 bits'],
  // No kernel at all.
  ...['com.microsoft:FusedGemm since 1', 'com.microsoft:EmbedLayerNormalization since 1'],
  ...['EyeLike since 9', 'IsInf since 10', 'Mod since 10', 'NonZero since 9', 'OneHot since 9', 'Round since 11'],
  ...['Unique since 11', 'Cast since 9: to float64', 'Selu since 6', 'Softsign since 1', 'Compress since 9'],
  // In a form that no rule puts in other words.
  ...['LogSoftmax since 1: all axes from the second on', 'Dropout since 7: with its mask'],
  'Dropout since 12: with its mask',
  // Outputs that are left out between others end the run.
  'com.microsoft:SkipLayerNormalization since 1: with the sum as an output',
];
