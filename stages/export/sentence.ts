import type { Model } from '../../models/model.ts';
import { answerName } from '../../models/signature.ts';

const moduleOf = (idx: number, path: string, kind: string): object => ({
  idx,
  name: String(idx),
  path,
  type: `sentence_transformers.models.${kind}`,
});

const names = {
  modules: 'modules.json',
  lengths: 'sentence_bert_config.json',
  pooling: '1_Pooling/config.json',
} as const;

export const sentenceFileNames: readonly string[] = Object.values(names);

/** Files by path that tell sentence-transformers, and whoever reads its layout, how one vector of a text is made. */
export const sentenceFiles = ({ graph, info }: Model): Readonly<Record<string, unknown>> => {
  const { maxLength, task, processor, signature } = info;
  const { sentence } = processor;
  if (sentence === undefined || task !== 'features') return {};
  const { pooling, normalize } = sentence;
  const modules = [moduleOf(0, '', 'Transformer'), moduleOf(1, '1_Pooling', 'Pooling')];
  return {
    [names.modules]: normalize ? [...modules, moduleOf(2, '2_Normalize', 'Normalize')] : modules,
    [names.lengths]: { max_seq_length: maxLength, do_lower_case: false },
    [names.pooling]: {
      word_embedding_dimension: graph.types.get(answerName(signature))?.shape?.at(-1),
      pooling_mode_cls_token: pooling === 'first',
      pooling_mode_mean_tokens: pooling === 'mean',
      pooling_mode_max_tokens: false,
      pooling_mode_mean_sqrt_len_tokens: false,
    },
  };
};
