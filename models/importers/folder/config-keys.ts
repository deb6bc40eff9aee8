import { all, carriedOut, type KeyTable, noEffect, refused } from './keys.ts';

/** Whatever the architecture is: keys of config.json that are read besides its own. */
const shared: KeyTable = {
  ...all(carriedOut, 'model_type', 'architectures', 'id2label', 'label2id', 'num_labels', 'problem_type'),
  ...all(carriedOut, 'tokenizer_class', 'transformers_version'),
  // Of classes they leave the order alone.
  ...all(carriedOut, 'sentence_transformers', 'sbert_ce_default_activation_function'),
};

const generation = noEffect('it is about the generation of text');
const training = noEffect('it is about the weights that training begins with');
const output = noEffect('it chooses what else is put out');

/** Keys of config.json that change nothing of what an encoder computes, or that nobody here could follow. */
const others: KeyTable = {
  is_encoder_decoder: refused('decant imports encoders; expected false', false),
  is_decoder: refused('decant imports encoders; expected false', false),
  add_cross_attention: refused('decant imports encoders; expected false', false),
  cross_attention_hidden_size: refused('decant imports encoders; expected null'),
  per_layer_config: refused('its layers differ in their configuration, which decant does not read', {}, []),
  quantization_config: refused('quantized weights are not read: import the model that was quantized'),
  compression_config: refused('compressed weights are not read: import the model that was compressed'),
  pruned_heads: refused(
    'heads were cut out of it, and transformers 5 does not know which are left: save the model with all of them, and cut ' +
      'them in a stage `prune`',
    {},
  ),
  ...all(noEffect('it is about guessing hidden patches'), 'encoder_stride'),
  ...all(noEffect('features and scores are read without a pooler'), 'pooler_act', 'pooler_output_size'),
  use_bfloat16: noEffect('all of it is computed in float32'),
  ...all(noEffect('weights are read in the type that they have, and computed in float32'), 'dtype', 'torch_dtype'),
  ...all(noEffect('the same is computed in pieces'), 'chunk_size_feed_forward', 'gradient_checkpointing'),
  ...all(noEffect('the same is computed by another kernel'), '_attn_implementation', 'attn_implementation'),
  ...all(
    noEffect('the same is computed by another kernel'),
    'deterministic_flash_attn',
    'reference_compile',
    'torchscript',
  ),
  ...all(noEffect('the same is computed by another kernel'), 'repad_logits_with_grad', 'use_flash_attn'),
  ...all(
    output,
    'output_attentions',
    'output_hidden_states',
    'return_dict',
    'use_return_dict',
    'output_past',
    'use_cache',
  ),
  ...all(training, 'initializer_range', 'initializer_cutoff_factor', 'embedding_initializer_range'),
  ...all(noEffect('it is about the loss'), 'sparse_prediction', 'sparse_pred_ignore_index', 'tf_legacy_loss'),
  ...all(
    noEffect('the tokenizer says which tokens they are'),
    'bos_token_id',
    'eos_token_id',
    'cls_token_id',
    'sep_token_id',
  ),
  ...all(noEffect('the tokenizer says which tokens they are'), 'mask_token_id', 'unk_token_id'),
  ...all(noEffect('it belongs to heads of other tasks'), 'qa_dropout', 'summary_type', 'summary_use_proj'),
  ...all(
    noEffect('it belongs to heads of other tasks'),
    'summary_activation',
    'summary_last_dropout',
    'summary_first_dropout',
  ),
  ...all(
    noEffect('the pooler has the width of its weights'),
    'pooler_hidden_size',
    'pooler_fc_size',
    'pooler_num_attention_heads',
  ),
  ...all(
    noEffect('transformers does not read it'),
    'pooler_num_fc_layers',
    'pooler_size_per_head',
    'pooler_type',
    'directionality',
  ),
  ...all(
    noEffect('transformers does not read it'),
    'down_scale_factor',
    'gap_size',
    'net_structure_type',
    'num_memory_blocks',
  ),
  ...all(noEffect('transformers does not read it'), 'true_hidden_size', 'vocab_type', 'model_name', 'language'),
  sinusoidal_pos_embds: noEffect('the positions stand among the weights'),
  ...all(noEffect('transformers takes its own class, and programs are not run'), 'auto_map', 'custom_pipelines'),
  ...all(
    noEffect('it tells where the file comes from'),
    '_name_or_path',
    'name_or_path',
    '_commit_hash',
    'finetuning_task',
  ),
  ...all(
    noEffect('it tells where the file comes from'),
    'task_specific_params',
    '_num_labels',
    '_attn_implementation_autoset',
  ),
  ...all(noEffect('other clients read it'), 'transformers.js_config', 'decant'),
  ...all(
    generation,
    ...[
      'bad_words_ids',
      'begin_suppress_tokens',
      'decoder_start_token_id',
      'diversity_penalty',
      'do_sample',
      'early_stopping',
    ],
    ...[
      'encoder_no_repeat_ngram_size',
      'exponential_decay_length_penalty',
      'forced_bos_token_id',
      'forced_eos_token_id',
    ],
    ...['length_penalty', 'max_length', 'min_length', 'no_repeat_ngram_size', 'num_beam_groups', 'num_beams'],
    ...['num_return_sequences', 'output_scores', 'prefix', 'remove_invalid_values', 'repetition_penalty'],
    ...[
      'return_dict_in_generate',
      'suppress_tokens',
      'temperature',
      'tie_encoder_decoder',
      'top_k',
      'top_p',
      'typical_p',
    ],
  ),
};

/** The fate of every key of config.json that is known: an architecture's own count before those that mean nothing to it. */
export const configKeys = (architecture: readonly string[]): KeyTable => ({
  ...others,
  ...shared,
  ...all(carriedOut, ...architecture),
});
