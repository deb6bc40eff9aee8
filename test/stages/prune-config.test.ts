import { describe, expect, test } from 'vitest';
import { prune } from '../../stages/prune/index.ts';
import type { Ref, Wiring } from '../../stages/stage.ts';

/** Path and message of every problem, as the pipeline shows them. */
const problemsOf = (config: unknown): readonly string[] => {
  const parsed = prune.config.safeParse(config);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};

const countProblem = (found: string): string =>
  `expected what is kept: a whole number from 1 such as 192, or a share above 0% and up to 100% such as '50%'; found ${found}`;

const sparsityProblem = (found: string): string =>
  `expected a share of zeros above 0 and below 1, as 0.6 or '60%'; found ${found}`;

describe('options of prune', () => {
  test.each([
    { keep: { heads: '50%' } },
    { keep: { hidden: 192, heads: '50%', ffn: 384, layers: 1, embedding: 128 }, criterion: 'magnitude' },
    { keep: { vocabulary: 'used', layers: [0, 2, 4] } },
    { keep: { vocabulary: 12_000, embedding: '25%' } },
    { sparsity: 0.6 },
    { sparsity: '62.5%', schedule: 'linear', include: ['classifier'], embeddings: false },
    { keep: { ffn: 8 }, sparsity: '60%', recover: { uses: 'distill', teacher: 'teacher', epochs: 1 } },
    { keep: { ffn: 8 }, recover: { uses: 'train', patience: 2 } },
  ])('take %j', (config) => {
    expect(problemsOf(config)).toEqual([]);
  });

  test.each([
    ['0', { keep: { heads: 0 } }, [`keep.heads: ${countProblem('0')}`]],
    [
      'a vocabulary by another name',
      { keep: { vocabulary: 'seen' } },
      [
        "keep.vocabulary: expected 'used' (the tokens that the training texts use), a whole number of tokens such as " +
          '12000, or a share such as \'40%\'; found "seen"',
      ],
    ],
    [
      'layers out of order',
      { keep: { layers: [2, 0] } },
      [
        "keep.layers: expected layers to keep: a count such as 3, a share such as '50%', or their numbers from 0 in " +
          'rising order, such as [0, 2, 4]; found [2,0]',
      ],
    ],
    ['half a head', { keep: { heads: 2.5 } }, [`keep.heads: ${countProblem('2.5')}`]],
    ['0%', { keep: { ffn: '0%' } }, [`keep.ffn: ${countProblem('"0%"')}`]],
    ['120%', { keep: { ffn: '120%' } }, [`keep.ffn: ${countProblem('"120%"')}`]],
    ['a word', { keep: { ffn: 'half' } }, [`keep.ffn: ${countProblem('"half"')}`]],
    ['no sparsity at all', { sparsity: 0 }, [`sparsity: ${sparsityProblem('0')}`]],
    ['sparsity 1', { sparsity: 1 }, [`sparsity: ${sparsityProblem('1')}`]],
    ['sparsity 100%', { sparsity: '100%' }, [`sparsity: ${sparsityProblem('"100%"')}`]],
    ['sparsity 60', { sparsity: 60 }, [`sparsity: ${sparsityProblem('60')}`]],
    [
      'an empty keep',
      { keep: {} },
      ['keep: expected at least one of vocabulary, hidden, heads, ffn, layers, embedding'],
    ],
    [
      'nothing to prune',
      { criterion: 'random' },
      [
        ": expected what to prune: keep (structure, such as { heads: 50% }) or sparsity (zeros, such as '60%'), or both",
      ],
    ],
    [
      'early stopping while sparsity rises',
      { sparsity: 0.5, recover: { uses: 'train', patience: 1 } },
      [
        'recover.patience: early stopping could end recovery before the sparsity is reached: leave patience out, or sparsity',
      ],
    ],
  ])('refuse %s and say what is expected', (_, config, problems) => {
    expect(problemsOf(config)).toEqual(problems);
  });

  test('parsed once are the same as parsed twice, as the plan hands them on', () => {
    const once = prune.config.parse({ keep: { heads: '50%' }, sparsity: '60%' });
    expect(prune.config.parse(once)).toEqual(once);
  });
});

const wired = (config: unknown): Readonly<Record<string, Ref>> => {
  const wiring: Wiring = {
    model: (id) => ({ step: id, output: 'model' }),
    previous: () => ({ step: 'previous', output: 'model' }),
    dataset: () => ({ step: 'data', output: 'dataset' }),
    step: (uses) => ({ step: uses, output: 'outputs' }),
    problem: (path, message) => {
      throw new Error(`${path.join('.')}: ${message}`);
    },
  };
  return prune.wire(config, wiring);
};

describe('inputs of prune', () => {
  test('the data is asked for only where texts are read', () => {
    expect(Object.keys(wired({ keep: { heads: 2 } }))).toEqual(['dataset']);
    expect(wired({ keep: { heads: 2 }, criterion: 'magnitude' })).toEqual({});
    expect(wired({ sparsity: 0.6 })).toEqual({});
    expect(Object.keys(wired({ sparsity: 0.6, recover: { uses: 'train' } }))).toEqual(['dataset']);
  });

  test('the vocabulary is counted in texts, layers that are named need none', () => {
    expect(Object.keys(wired({ keep: { vocabulary: 'used' }, criterion: 'magnitude' }))).toEqual(['dataset']);
    expect(Object.keys(wired({ keep: { embedding: 128 }, criterion: 'magnitude' }))).toEqual(['dataset']);
    expect(wired({ keep: { layers: [0, 2] } })).toEqual({});
  });

  test('recovery by distillation asks for what the teacher says', () => {
    expect(wired({ sparsity: 0.6, recover: { uses: 'distill', teacher: 'big' } })).toEqual({
      dataset: { step: 'data', output: 'dataset' },
      'teacher-outputs': { step: 'label', output: 'outputs' },
    });
  });
});
