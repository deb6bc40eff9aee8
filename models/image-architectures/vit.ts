import { logitsName } from '../architectures/heads.ts';
import { defineImageArchitecture } from './kind.ts';
import { emitFrom, scoresAt, vitConfig, vitFacts, vitKeys } from './vit-layers.ts';

/** ViT (Dosovitskiy et al. 2020, arXiv 2010.11929). */
export const vit = defineImageArchitecture(vitKeys, {
  modelTypes: ['vit'],
  config: vitConfig,
  prefix: 'vit',
  facts: vitFacts,
  emit: emitFrom(['embeddings.cls_token']),
  heads: [
    {
      savedFrom: /ForImageClassification$/,
      marker: 'classifier.weight',
      emit: (emission, values, _, labels) =>
        scoresAt(emission, values, { name: 'classifier', at: 0, labels, output: logitsName }),
    },
  ],
  ignored: [/^pooler\.dense\.(weight|bias)$/, /^embeddings\.mask_token$/],
});
