import { z } from 'zod';
import type { Value } from '../../graph/graph.ts';
import { outside } from '../architectures/architecture.ts';
import { activation, headsDivide, ratio, size } from '../architectures/bert-layers.ts';
import { project } from '../architectures/heads.ts';
import type { Emission } from '../blocks.ts';
import { emitVit, type VitShape, type VitValues } from '../emit-vit.ts';
import type { ImageFacts } from './kind.ts';

/** Both sides, or height and width. */
const sides = z.union([size, z.tuple([size, size])]);

/** Keys of config.json that ViT and DeiT share, with the defaults of ViTConfig. */
export const vitKeys = {
  hidden_size: size.default(768),
  num_hidden_layers: z.int().min(1).max(1000).default(12),
  num_attention_heads: size.default(12),
  intermediate_size: size.default(3072),
  hidden_act: activation.default('gelu'),
  hidden_dropout_prob: ratio.default(0),
  attention_probs_dropout_prob: ratio.default(0),
  layer_norm_eps: z.number().positive().default(1e-12),
  image_size: sides.default(224),
  patch_size: sides.default(16),
  num_channels: z.int().min(1).max(1000).default(3),
  qkv_bias: z.boolean().default(true),
};

const both = (given: z.output<typeof sides>): readonly [number, number] =>
  typeof given === 'number' ? [given, given] : given;

const patchesFill = (
  {
    image_size,
    patch_size,
  }: { readonly image_size: z.output<typeof sides>; readonly patch_size: z.output<typeof sides> },
  ctx: z.RefinementCtx,
): void => {
  const [images, patches] = [both(image_size), both(patch_size)];
  if (images.every((side, i) => side % (patches[i] ?? 1) === 0)) return;
  const message = `expected a divisor of image_size, which is ${images.join(' x ')}; found ${patches.join(' x ')}`;
  ctx.addIssue({ code: 'custom', message, path: ['patch_size'] });
};

export const vitConfig = z.object(vitKeys).superRefine(headsDivide).superRefine(patchesFill);
export type VitConfig = z.output<typeof vitConfig>;

export const vitFacts = (config: VitConfig): ImageFacts => {
  const [height, width] = both(config.image_size);
  return {
    ...{ channels: config.num_channels, height, width, patch: both(config.patch_size) },
    ...{ hidden: config.hidden_size, layers: config.num_hidden_layers },
    ...{ heads: config.num_attention_heads, ffn: config.intermediate_size, epsilon: config.layer_norm_eps },
  };
};

/** A ViT with some learnt positions in front of the patches. */
export const emitFrom =
  (tokens: readonly string[]) =>
  (emission: Emission, config: VitConfig): VitValues => {
    const { layers, heads, ffn, hidden, ...facts } = vitFacts(config);
    const shape: VitShape = {
      ...{ ...facts, hidden, tokens, biased: config.qkv_bias },
      layers: Array.from({ length: layers }, () => ({ heads, headWidth: hidden / heads, ffn })),
      activation: config.hidden_act,
      dropout: config.hidden_dropout_prob,
      attentionDropout: config.attention_probs_dropout_prob,
    };
    return emitVit(emission, shape);
  };

/** Scores of classes by a learnt position of the encoder: (batch, positions, hidden) to (batch, labels). */
export const scoresAt = (
  emission: Emission,
  { features }: VitValues,
  {
    name,
    at,
    labels,
    output,
  }: { readonly name: string; readonly at: number; readonly labels: number; readonly output?: string },
): Value =>
  emission.builder.within('classifier', () => {
    const head = outside(emission);
    const { builder } = head;
    const read = builder.op('Gather', [features, builder.scalar('int64', at)], { axis: 1 });
    return project(head, name, read, labels, output);
  });
