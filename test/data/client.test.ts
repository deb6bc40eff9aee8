import { describe, expect, it } from 'vitest';
import { clientOf } from '../../data/tokenizers/client.ts';
import { clientLimits } from '../../data/tokenizers/client-limits.ts';
import { golden, tokenizerJsonOf } from './variants.ts';

const { texts, variants } = golden;

/** Characters that the client's library takes for spaces, or not, and Chinese ones beyond U+FFFF: told apart by texts alone. */
const rare = /[\u0085\ufeff]|\p{Script=Han}(?<=[\u{10000}-\u{10ffff}])/u;

/** Odd texts that become other tokens in transformers.js than in Python; all of them where it cannot load the file. */
const differing = (name: string): readonly string[] => {
  try {
    const client = clientOf(tokenizerJsonOf(name), { unk_token: '[UNK]' });
    return texts.filter((text, i) => !rare.test(text) && client(text).ids.join() !== variants[name]?.ids[i]?.join());
  } catch {
    return texts;
  }
};

describe('what transformers.js does not carry out', () => {
  it.each(Object.keys(variants))('is named where it shows, and nowhere else: %s', (name) => {
    expect(clientLimits(tokenizerJsonOf(name)).length > 0).toBe(differing(name).length > 0);
  });

  it('is named by part, kind and setting', () => {
    expect(clientLimits(tokenizerJsonOf('split at pattern MergedWithNext'))).toEqual([
      'pre_tokenizer Split (behavior MergedWithNext)',
    ]);
    expect(clientLimits(tokenizerJsonOf('added in a unigram'))).toEqual([
      'normalizer Precompiled (precompiled_charsmap, in whose place stands one general normalisation without case folding)',
      'added_tokens with single_word',
    ]);
    expect(clientLimits(tokenizerJsonOf('bert'))).toEqual([]);
  });
});
