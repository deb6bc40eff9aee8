import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import { trainByteBpe } from '../../data/tokenizers/bpe.ts';
import { trainWordPiece } from '../../data/tokenizers/wordpiece.ts';

const texts = ['The quick brown fox jumps over the lazy dog .', "She said : `` Don't ! ''", 'nineteen-year-old boys'];

/** As GPT-2's own: the first word of a text has no space before it, and other tokens than inside. */
const bare = (): Readonly<Record<string, unknown>> => {
  const json = trainByteBpe(texts, { size: 400 });
  return { ...json, pre_tokenizer: { ...Object(json.pre_tokenizer), add_prefix_space: false } };
};

const tokenizers = {
  WordPiece: tokenizerOf(trainWordPiece(texts, { size: 300 })),
  'byte-level BPE': tokenizerOf(trainByteBpe(texts, { size: 400 })),
  'byte-level BPE without a space in front': tokenizerOf(bare()),
};

const word = fc.constantFrom(...texts.flatMap((text) => text.split(' ')), 'unseen', '42nd', 'naïve');

describe.each(Object.entries(tokenizers))('words of %s', (_, tokenizer) => {
  it('are encoded as the text that they make, each with the place of its first token', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 12 }), async (words) => {
        const prefixes = words.map((_, w) => words.slice(0, w + 1).join(' '));
        const encoded = await tokenizer.encodeWords(prefixes, 512);
        const { ids = new Int32Array(), words: places = new Int32Array() } = encoded.at(-1) ?? {};
        expect([...ids]).toEqual([...(await tokenizer.encode(words.join(' '), 512)).ids]);
        expect(places.length).toBe(words.length);
        expect([...places]).toEqual(encoded.map(({ words: some }, w) => some?.[w]));
      }),
      { numRuns: 60 },
    );
  });

  it('beyond the length have no place, and the special tokens stay', async () => {
    const [encoded] = await tokenizer.encodeWords([texts.join(' ')], 8);
    const { ids = new Int32Array(), words: places = new Int32Array(), cut = 0 } = encoded ?? {};
    expect(ids.length).toBe(8);
    expect(cut).toBeGreaterThan(0);
    expect(places.at(-1)).toBe(-1);
    expect([...places].filter((place) => place >= 0).every((place) => place < 8)).toBe(true);
  });
});
