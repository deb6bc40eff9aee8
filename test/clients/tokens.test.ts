import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AutoTokenizer, env } from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import { clientOf } from '../../data/tokenizers/client.ts';
import { golden, tokenizerJsonOf } from '../data/variants.ts';
import { workspace } from '../rig/workspace.ts';

const { texts } = golden;

/** Tokenizers that transformers.js computes otherwise than Python, and some that it does not. */
const names = [
  ...[
    'bert',
    'charsmap nmt_nfkc_cf',
    'split at pattern MergedWithNext',
    'punctuation Removed',
    'pre-tokenizer Whitespace',
  ],
  ...['model unigram', 'model bpe-fused', 'model unigram-bytes', 'RobertaProcessing', 'added in a unigram'],
];

describe('what transformers.js makes of texts is known without it', () => {
  it.each(names)('%s', async (name) => {
    using space = workspace();
    env.allowRemoteModels = false;
    const json = tokenizerJsonOf(name);
    const config = { tokenizer_class: 'BertTokenizer', unk_token: '[UNK]', model_max_length: 9 };
    mkdirSync(space.folder, { recursive: true });
    writeFileSync(join(space.folder, 'tokenizer.json'), JSON.stringify(json));
    writeFileSync(join(space.folder, 'tokenizer_config.json'), JSON.stringify(config));
    const loaded = await AutoTokenizer.from_pretrained(space.folder, { local_files_only: true });
    const client = clientOf(json, config);
    for (const [i, text] of texts.entries()) {
      const pair = texts[i + 1] ?? '';
      const options = { ...(pair === '' ? {} : { text_pair: pair }), truncation: true, return_tensor: false };
      const { input_ids, token_type_ids = [] } = loaded(text, options);
      const { ids, types } = client({ text, pair });
      expect([text, ids.slice(0, 9), types.slice(0, 9)]).toEqual([text, input_ids, token_type_ids]);
    }
  });
});
