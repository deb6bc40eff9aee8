import { logitsName } from '../architectures/heads.ts';
import { defineImageArchitecture } from './kind.ts';
import { emitFrom, scoresAt, vitConfig, vitFacts, vitKeys } from './vit-layers.ts';

/**
 * DeiT (Touvron et al. 2020, arXiv 2012.12877): a second learnt position, which was taught by another network. Where both were
 * taught to classify, the answer is the mean of the two.
 */
export const deit = defineImageArchitecture(vitKeys, {
  modelTypes: ['deit'],
  config: vitConfig,
  prefix: 'deit',
  facts: vitFacts,
  emit: emitFrom(['embeddings.cls_token', 'embeddings.distillation_token']),
  heads: [
    {
      savedFrom: /ForImageClassification$/,
      marker: 'classifier.weight',
      emit: (emission, values, _, labels) =>
        scoresAt(emission, values, { name: 'classifier', at: 0, labels, output: logitsName }),
    },
    {
      savedFrom: /ForImageClassificationWithTeacher$/,
      marker: 'cls_classifier.weight',
      emit: (emission, values, _, labels) => {
        const { builder } = emission;
        const own = scoresAt(emission, values, { name: 'cls_classifier', at: 0, labels });
        const taught = scoresAt(emission, values, { name: 'distillation_classifier', at: 1, labels });
        return builder.op('Mul', [builder.op('Add', [own, taught]), builder.scalar('float32', 1 / 2)], {}, logitsName);
      },
    },
  ],
  ignored: [/^pooler\.dense\.(weight|bias)$/, /^embeddings\.mask_token$/],
});
