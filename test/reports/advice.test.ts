import { describe, expect, it } from 'vitest';
import { doneTo, nothingDone } from '../../reports/causes/done.ts';
import { embeddingTable } from '../../reports/causes/embedding-table.ts';
import { floatProducts } from '../../reports/causes/float-products.ts';

const step = { cached: false, seconds: 1, metrics: {}, outputs: {} };
const stages = [
  { id: 'teacher', uses: 'train', config: {}, inputs: {}, step },
  { id: 'slim', uses: 'prune', config: { keep: { embedding: 64, heads: 2 } }, inputs: { model: 'teacher' }, step },
  { id: 'student', uses: 'distill', config: {}, inputs: { model: 'slim', teacher: 'teacher' }, step },
  { id: 'int8', uses: 'quantize', config: {}, inputs: { model: 'student' }, step },
  { id: 'later', uses: 'quantize', config: {}, inputs: { model: 'teacher' }, step: null },
];

describe('advice', () => {
  it('names no stage that the run has already', () => {
    expect(floatProducts.advise?.(doneTo(stages, 'student'))).toBe('int8 of this run does them in 8 bits');
    expect(floatProducts.advise?.(doneTo(stages, 'int8'))).toContain('exclude of the quantize stage');
    // The run ended before the stage that would have done it.
    expect(floatProducts.advise?.(doneTo(stages, 'teacher'))).toBe('add a quantize stage');
    expect(floatProducts.advise?.(nothingDone)).toBe('add a quantize stage');
  });

  it('leaves out of several ways those that were gone', () => {
    expect(embeddingTable.advise?.(doneTo(stages, 'int8'))).toBe(
      'what makes the file smaller still: a smaller vocabulary (prune: keep: { vocabulary }); the time stays',
    );
    expect(embeddingTable.advise?.(nothingDone)).toMatch(/vocabulary.*, or .*embedding.*, or .*quantize/);
    const all = { ...nothingDone, quantized: true, cut: new Set(['embedding', 'vocabulary']) };
    expect(embeddingTable.advise?.(all)).toContain('already');
  });
});
