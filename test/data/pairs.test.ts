import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EncodedText, type TextEncoder, tokenizerOf } from '../../data/tokenize.ts';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { trainWordPiece } from '../../data/tokenizers/wordpiece.ts';
import { wordTokenizer } from '../models/support.ts';

const LONG = 1000;
const words = ['cat', 'dog', 'runs', 'sleeps', 'the', 'old', 'small'];
const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
const special = { '[CLS]': 10, '[SEP]': 11 };

const withProcessor = (post_processor: TokenizerJson | null): TextEncoder => {
  const added_tokens = Object.entries(special).map(([content, id]) => ({ ...flags, id, content }));
  return tokenizerOf({ ...wordTokenizer, added_tokens, post_processor });
};

const told = (encoder: TextEncoder, { ids, types }: EncodedText): string =>
  [...ids].map((id, i) => `${encoder.token(id)}${types?.[i] ?? 0}`).join(' ');

const pair = { text: 'the cat', pair: 'a small dog runs' };

describe('a pair of texts', () => {
  it('is framed as the template says, with its types', async () => {
    const encoder = tokenizerOf(trainWordPiece([pair.text, pair.pair, ...words], { size: 300, minFrequency: 1 }));
    expect(told(encoder, await encoder.encode(pair, LONG))).toBe('[CLS]0 the0 cat0 [SEP]0 a1 small1 dog1 runs1 [SEP]1');
    expect(told(encoder, await encoder.encode({ text: 'cat', pair: '' }, LONG))).toBe('[CLS]0 cat0 [SEP]0');
    expect(told(encoder, await encoder.encode({ text: '', pair: 'cat' }, LONG))).toBe('[CLS]0 [SEP]0 cat1 [SEP]1');
  });

  it('has types of its own where BERT frames it, and none where RoBERTa does', async () => {
    const ends = { sep: ['[SEP]', 11], cls: ['[CLS]', 10] };
    const bert = withProcessor({ type: 'BertProcessing', ...ends });
    expect(told(bert, await bert.encode(pair, LONG))).toBe('[CLS]0 the0 cat0 [SEP]0 a1 small1 dog1 runs1 [SEP]1');
    const roberta = withProcessor({ type: 'RobertaProcessing', trim_offsets: true, add_prefix_space: true, ...ends });
    expect((await roberta.encode(pair, LONG)).types).toBeUndefined();
    expect(told(roberta, await roberta.encode(pair, LONG))).toBe(
      '[CLS]0 the0 cat0 [SEP]0 [SEP]0 a0 small0 dog0 runs0 [SEP]0',
    );
  });

  it('is one text behind the other where no processor frames it', async () => {
    for (const processor of [null, { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true }]) {
      const encoder = withProcessor(processor);
      expect(told(encoder, await encoder.encode(pair, LONG))).toBe('the0 cat0 a1 small1 dog1 runs1');
    }
  });

  it('leaves single texts without types', async () => {
    const encoder = tokenizerOf(trainWordPiece(words, { size: 300, minFrequency: 1 }));
    expect(await encoder.encode({ text: 'the cat' }, LONG)).toEqual(await encoder.encode('the cat', LONG));
    expect((await encoder.encode('the cat', LONG)).types).toBeUndefined();
  });

  it('loses tokens of the longer text first and says how many', async () => {
    const encoder = withProcessor({ type: 'BertProcessing', sep: ['[SEP]', 11], cls: ['[CLS]', 10] });
    const cut = await encoder.encode(pair, 7);
    expect(told(encoder, cut)).toBe('[CLS]0 the0 cat0 [SEP]0 a1 small1 [SEP]1');
    expect(cut.cut).toBe(2);
    expect((await encoder.encode(pair, 9)).cut).toBeUndefined();
    expect((await encoder.encode('the old cat runs', 4)).cut).toBe(2);
  });

  it('keeps the special tokens, fills the length and takes from the longer text only, whatever is cut', async () => {
    const encoder = withProcessor({ type: 'BertProcessing', sep: ['[SEP]', 11], cls: ['[CLS]', 10] });
    const text = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 12 }).map((list) => list.join(' '));
    const count = ({ ids, types }: EncodedText, type: number): number =>
      ids.reduce((sum, id, i) => sum + Number(id < 10 && (types?.[i] ?? 0) === type), 0);
    await fc.assert(
      fc.asyncProperty(text, text, fc.integer({ min: 3, max: 30 }), async (first, second, length) => {
        const whole = await encoder.encode({ text: first, pair: second }, LONG);
        const cut = await encoder.encode({ text: first, pair: second }, length);
        expect(cut.ids.length).toBe(Math.min(length, whole.ids.length));
        expect(cut.cut ?? 0).toBe(whole.ids.length - cut.ids.length);
        expect([...cut.ids].filter((id) => id >= 10)).toEqual([10, 11, 11]);
        const [a, b] = [count(cut, 0), count(cut, 1)];
        if (a < count(whole, 0)) expect(a).toBeGreaterThanOrEqual(b - 1);
        if (b < count(whole, 1)) expect(b).toBeGreaterThanOrEqual(a - 1);
      }),
    );
  });
});
