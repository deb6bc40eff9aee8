import { describe, expect, it } from 'vitest';
import { doneTo, nothingDone } from '../../reports/causes/done.ts';
import { embeddingTable } from '../../reports/causes/embedding-table.ts';
import { floatProducts } from '../../reports/causes/float-products.ts';
import { causes } from '../../reports/causes/index.ts';

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
    expect(floatProducts.advise?.(doneTo(stages, 'int8'))).toContain('for the reason that stands with it');
    // The run ended before the stage that would have done it.
    expect(floatProducts.advise?.(doneTo(stages, 'teacher'))).toBe('add a quantize stage');
    expect(floatProducts.advise?.(nothingDone)).toBe('add a quantize stage');
  });

  it('leaves out of several ways those that were gone', () => {
    expect(embeddingTable.advise?.(doneTo(stages, 'int8'))).toBe(
      'what makes the file smaller still: a smaller vocabulary (prune: keep: { vocabulary }); the time stays',
    );
    expect(embeddingTable.advise?.(nothingDone)).toMatch(/vocabulary.*, or .*embedding.*, or .*quantize/);
    const all = { ...nothingDone, quantizedWith: new Set(['embeddings']), cut: new Set(['embedding', 'vocabulary']) };
    expect(embeddingTable.advise?.(all)).toContain('already');
  });

  /** What a run can have done, and the words in which somebody would be told to do it. */
  const ways = [
    { done: { quantized: true, quantizedWith: new Set(['embeddings']) }, told: /add a quantize stage|an 8-bit table/ },
    { done: { quantizedBy: ['int8'] }, told: /add a quantize stage|an 8-bit table/ },
    { done: { quantizedWith: new Set(['reduceRange']) }, told: /\buse reduceRange/ },
    { done: { quantizedWith: new Set(['exclude']) }, told: /\bwith exclude/ },
    { done: { cut: new Set(['layers']) }, told: /(?<!still )fewer layers|(?<!still narrower or )shallower/ },
    { done: { cut: new Set(['hidden']) }, told: /(?<!still )\bnarrower or/ },
    { done: { cut: new Set(['embedding']) }, told: /narrower embedding/ },
    { done: { cut: new Set(['vocabulary']) }, told: /smaller vocabulary/ },
    { done: { cut: new Set(['heads', 'ffn']) }, told: /prune whole heads, neurons/ },
  ];

  it.each(causes.map((cause) => [cause.name, cause] as const))('of %s names nothing that is done', (_, cause) => {
    for (const { done, told } of ways)
      expect(cause.advise?.({ ...nothingDone, ...done }) ?? cause.advice).not.toMatch(told);
  });

  it('would name each of these where it is not done, so that the rule above can fail', () => {
    const plain = causes.map((cause) => cause.advise?.(nothingDone) ?? cause.advice);
    expect(ways.filter(({ told }) => !plain.some((advice) => told.test(advice)))).toEqual([]);
  });

  it('speaks of options of stages by their own names alone where it knows what is done', () => {
    const options = /\b(?:prune|quantize|reduceRange|exclude|layers|narrower)\b/;
    const blind = causes.filter(({ advice, advise }) => advise === undefined && options.test(advice));
    // It is found in models that other programs quantized.
    expect(blind.map(({ name }) => name)).toEqual(['weight-encoding']);
  });

  it('knows what the stage that quantized a model was asked for', () => {
    const asked = (config: object) => {
      const line = stages.map((one) => (one.id === 'int8' ? { ...one, config: { ...one.config, ...config } } : one));
      return [...doneTo(line, 'int8').quantizedWith].sort();
    };
    expect(asked({})).toEqual(['embeddings']);
    expect(asked({ embeddings: false, exclude: [] })).toEqual([]);
    expect(asked({ reduceRange: true, exclude: ['head.*'] })).toEqual(['embeddings', 'exclude', 'reduceRange']);
  });
});
