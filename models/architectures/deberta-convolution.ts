import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import { type Activation, activate, dropout, type Emission, layerNorm, parameter } from '../blocks.ts';
import type { StackShape } from '../emit-encoder.ts';
import { neighbours } from './neighbours.ts';

interface ConvolutionConfig {
  readonly hidden_size: number;
  readonly conv_kernel_size: number;
  readonly conv_act: Activation;
  readonly hidden_dropout_prob: number;
}

/** Zeros at padding: (batch, sequence, width). */
export const onlyTokens = (builder: GraphBuilder, x: Value, mask: Value): Value => {
  const kept = builder.op('Cast', [builder.op('Unsqueeze', [mask, builder.ints([2])])], { to: 1 });
  return builder.op('Mul', [x, kept]);
};

/** The kernel, which the checkpoint stores (out, in, taps), tap by tap as matrices (in, out). */
const tapsOf = (emission: Emission, { hidden_size: width, conv_kernel_size: taps }: ConvolutionConfig): Value[] => {
  const { builder } = emission;
  const kernel = parameter(emission, 'encoder.conv.conv.weight', [width, width, taps]);
  const turned = builder.op('Transpose', [kernel], { perm: [2, 1, 0] }); // (taps, in, out)
  return Array.from({ length: taps }, (_, tap) => builder.op('Gather', [turned, builder.scalar('int64', tap)]));
};

/**
 * A convolution over the sequence as one product a tap: decant cuts, trains and quantizes products. (batch, sequence, width)
 */
const convolved = (emission: Emission, config: ConvolutionConfig, x: Value): Value => {
  const { builder } = emission;
  const reach = (config.conv_kernel_size - 1) / 2;
  const seen = neighbours(builder, x, reach);
  const products = tapsOf(emission, config).map((tap, i) => builder.op('MatMul', [seen[i] ?? x, tap]));
  const sum = products.reduce((a, b) => builder.op('Add', [a, b]));
  return builder.op('Add', [sum, parameter(emission, 'encoder.conv.conv.bias', [config.hidden_size])]);
};

/** What DeBERTa adds behind its first layer: LayerNorm(layer + act(conv(embeddings))), nothing at padding. */
export const convolution = (
  emission: Emission,
  config: ConvolutionConfig,
  embedded: Value,
  mask: Value,
): NonNullable<StackShape['behind']> => ({
  index: 0,
  emit: (x, output) => {
    const { builder } = emission;
    const local = onlyTokens(builder, convolved(emission, config, embedded), mask);
    const active = activate(builder, config.conv_act, dropout(emission, local, config.hidden_dropout_prob));
    const sum = builder.op('Add', [x, active]);
    return layerNorm(emission, 'encoder.conv.LayerNorm', sum, config.hidden_size, { output });
  },
});
