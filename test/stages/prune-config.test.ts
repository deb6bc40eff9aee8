import { describe, expect, test } from 'vitest';
import { pruneConfig } from '../../stages/prune/config.ts';
import { foreseePruning } from '../../stages/prune/foresee.ts';
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
    { sparsity: '62.5%', include: ['classifier'], embeddings: false },
    { sparsity: '62.5%', schedule: 'linear', every: 4, recover: { uses: 'train' } },
    { keep: { ffn: 8 }, sparsity: '60%', recover: { uses: 'distill', teacher: 'teacher', epochs: 1 } },
    { keep: { ffn: 8 }, recover: { uses: 'train', patience: 2 } },
    { keep: { hidden: '50%', layers: 3, vocabulary: 'used' }, criterion: 'l0', recover: { uses: 'train' } },
    { pattern: '2:4' },
    { pattern: '4:8', sparsity: '50%', saliency: 'sparsegpt', calibration: 64 },
    { pattern: '4x1', sparsity: 0.7, saliency: 'fisher', compete: 'matrix', examples: 64 },
    { sparsity: 0.5, saliency: 'magnitude', reconstruct: true, calibration: 200 },
    { sparsity: 0.5, saliency: 'wanda', recover: { uses: 'train', patience: 2, freeze: ['embeddings'] } },
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
      ['keep: expected at least one of vocabulary, hidden, heads, kvHeads, ffn, layers, embedding'],
    ],
    [
      'nothing to prune',
      { criterion: 'random' },
      [
        ": expected what to prune: keep (structure, such as { heads: 50% }), budget (such as { macs: 30% }) or sparsity (zeros, such as '60%')",
      ],
    ],
    [
      'early stopping while sparsity rises',
      { sparsity: 0.5, recover: { uses: 'train', patience: 1 } },
      [
        'recover.patience: early stopping could end recovery before the sparsity is reached: leave patience out, or sparsity',
      ],
    ],
    [
      'more of M than there are',
      { pattern: '4:2', saliency: 'wanda', compete: 'row' },
      ["pattern: '4:2' keeps 4 of every 2: N:M keeps 1 at least and fewer than M, as 2:4 or 4:8"],
    ],
    [
      'a share that the pattern does not make',
      { pattern: '2:4', sparsity: '60%' },
      ['sparsity: pattern 2:4 makes 50% of every row zeros, not 60%: leave sparsity out, or take pattern: free'],
    ],
    [
      'who competes where the pattern says it',
      { pattern: '2:4', compete: 'row', over: 'model' },
      [
        'compete: pattern 2:4 makes 50% of every row zeros, whoever competes: leave compete out',
        'over: pattern 2:4 makes 50% of every row zeros: a share of the model takes pattern: free',
      ],
    ],
    [
      'blocks without a share',
      { pattern: '4x1' },
      ["pattern: pattern says where zeros stand, and sparsity how many: add sparsity, such as '60%'"],
    ],
    [
      'a saliency of nothing',
      { keep: { heads: 2 }, saliency: 'wanda', calibration: 8 },
      [
        "saliency: saliency is about zeros, and none are asked for: add sparsity, such as '60%'",
        "calibration: calibration is about zeros, and none are asked for: add sparsity, such as '60%'",
      ],
    ],
    [
      'texts that nobody looks at',
      { sparsity: 0.5, calibration: 8 },
      ['calibration: no inputs are looked at: leave calibration out'],
    ],
    [
      'what has no inputs',
      { sparsity: 0.5, saliency: 'wanda', embeddings: true, include: ['classifier', 'norms'] },
      [
        'include.1: saliency wanda looks at inputs of products, and norms have none: leave them out',
        'embeddings: saliency wanda looks at inputs of products, and tables have none: leave embeddings out',
      ],
    ],
    [
      'vectors in a pattern',
      { sparsity: 0.5, pattern: '1x4', include: ['biases'] },
      ['include.0: pattern 1x4 is one of matrices, and biases have none: leave them out'],
    ],
    [
      'a competition over matrices that are done one by one',
      { sparsity: 0.5, saliency: 'sparsegpt', compete: 'model' },
      ['compete: saliency sparsegpt goes along one matrix after the other: compete: matrix or row'],
    ],
    [
      'what only training teaches, without training',
      { sparsity: 0.5, saliency: 'movement' },
      ['saliency: saliency movement is learnt while the model trains: add recover, or take another one'],
    ],
    [
      'a reconstruction of what is learnt',
      { sparsity: 0.5, saliency: 'soft-movement', reconstruct: true, recover: { uses: 'train' } },
      [
        'reconstruct: saliency soft-movement is learnt while the model trains, which moves what stays: leave reconstruct out',
      ],
    ],
    [
      'one round of several',
      { sparsity: 0.5, schedule: 'rounds', recover: { uses: 'train' } },
      ['schedule: schedule: rounds makes zeros in several cuts: add rounds: 2 or more'],
    ],
    [
      'rounds that would not end with training',
      { sparsity: 0.5, schedule: 'rounds', rounds: 5, every: 20, recover: { uses: 'train', steps: 100 } },
      ['rounds: zeros come over 60 steps, and masks change every 20: that is 3 cuts at most, and 5 were asked for'],
    ],
    [
      'a pace of zeros that are made at once',
      { sparsity: 0.5, schedule: 'linear', every: 4 },
      [
        'schedule: schedule: linear is how zeros come while recovery trains, and zeros are made at once here: leave it out',
        'every: every is about masks while recovery trains, and zeros are made at once here: leave it out',
      ],
    ],
    [
      'a pace of zeros where what stays moves before recovery',
      { sparsity: 0.5, saliency: 'wanda', schedule: 'rounds', rounds: 2, recover: { uses: 'train' } },
      [
        'schedule: schedule: rounds is how zeros come while recovery trains, and zeros are made at once here: leave it out',
      ],
    ],
    [
      'gates on what has none',
      { keep: { embedding: 8, layers: [0] }, criterion: 'l0', rounds: 2 },
      [
        'criterion: criterion l0 learns gates on heads, ffn, hidden and layers: say how many of them to keep',
        'criterion: criterion l0 learns gates on heads, ffn, hidden and layers while the model trains: add recover',
        'keep.embedding: criterion l0 learns gates on heads, ffn, hidden and layers, not embedding: cut that in a stage of its own',
        'rounds: criterion l0 learns gates on heads, ffn, hidden and layers all the way: leave rounds out',
      ],
    ],
    [
      'gates beside zeros, and training that may end before they are decided',
      { keep: { heads: 2 }, sparsity: 0.5, criterion: 'l0', recover: { uses: 'train', patience: 2 } },
      [
        'recover.patience: early stopping could end recovery before the sparsity is reached: leave patience out, or sparsity',
        'criterion: criterion l0 learns gates on heads, ffn, hidden and layers: make zeros in a stage of its own',
        'recover.patience: early stopping could end recovery before gates are decided: leave patience out',
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
    for (const saliency of ['wanda', 'sparsegpt', 'taylor', 'fisher', 'obs'])
      expect(Object.keys(wired({ sparsity: 0.6, saliency }))).toEqual(['dataset']);
    expect(Object.keys(wired({ pattern: '2:4', reconstruct: true }))).toEqual(['dataset']);
    expect(wired({ pattern: '4x1', sparsity: 0.6, saliency: 'random' })).toEqual({});
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

describe('before anything runs', () => {
  const sizes = { hidden: 384, ffn: 1534 };
  const problemsAt = (config: unknown, task: 'features' | 'text-classification') =>
    foreseePruning(pruneConfig.parse(config), {
      models: { model: { task, sizes } },
      data: { task: 'text-classification', maxLength: 32, classes: ['a', 'b'], whole: true },
      base: '/',
    }).problems;

  test.each([
    ['2:4', 'pattern 2:4 does not divide its feed-forward blocks, 1534 wide: take another one, or keep another width'],
    ['1x767', 'pattern 1x767 is larger than the model, 384 wide: take another one, or keep another width'],
  ])('a pattern %s that does not fit the widths of the model is told', (pattern, message) => {
    const config = { pattern, ...(pattern === '2:4' ? {} : { sparsity: 0.5 }) };
    expect(problemsAt(config, 'features')).toEqual([{ path: ['pattern'], message }]);
    expect(problemsAt({ pattern: '1:2' }, 'features')).toEqual([]);
  });

  test('query heads go with the heads of keys and values that they share', () => {
    const decoder = { hidden: 64, layers: 2, heads: 8, kvHeads: 4, ffn: 128 };
    const left = (keep: object) =>
      foreseePruning(pruneConfig.parse({ keep }), { models: { model: { sizes: decoder } }, data: undefined, base: '/' })
        .model?.sizes;
    expect(left({ heads: '50%' })).toEqual({ ...decoder, heads: 4, kvHeads: 2 });
    expect(left({ heads: 1 })).toEqual({ ...decoder, heads: 1, kvHeads: 1 });
    expect(left({ ffn: 64 })).toEqual({ ...decoder, ffn: 64 });
    expect(left({ kvHeads: 2, heads: 4 })).toEqual({ ...decoder, heads: 4, kvHeads: 1 });
  });

  test('heads of keys and values that cannot stand for those there are, or of what does not remember, are told', () => {
    const grouped = { hidden: 64, heads: 12, kvHeads: 6 };
    const problems = (
      kvHeads: number | string,
      task: 'text-generation' | 'text-classification',
      sizes: object = grouped,
    ) =>
      foreseePruning(pruneConfig.parse({ keep: { kvHeads } }), {
        models: { model: { task, sizes } },
        ...{ data: undefined, base: '/' },
      }).problems;
    expect(problems(3, 'text-generation')).toEqual([]);
    expect(problems('50%', 'text-generation')).toEqual([]);
    const path = ['keep', 'kvHeads'];
    expect(problems(4, 'text-generation')).toEqual([
      { path, message: '4 cannot stand for 6 heads in equal groups: choose a number that divides them' },
    ]);
    expect(problems(6, 'text-generation', { hidden: 64, heads: 12 })).toEqual([
      {
        path,
        message:
          'clients of a model of this kind take keys and values to have as many heads as queries; keep them, or cut heads',
      },
    ]);
    expect(problems(3, 'text-classification')).toEqual([
      {
        path,
        message:
          'only decoders have heads of keys and values that others share, the model puts out text-classification',
      },
    ]);
  });

  test('a saliency that recovery is too short to teach is remarked upon', () => {
    const remarksAt = (config: object) =>
      foreseePruning(pruneConfig.parse(config), { models: { model: {} }, data: undefined, base: '/' }).remarks ?? [];
    const short = { sparsity: 0.7, saliency: 'movement', recover: { uses: 'train', steps: 16 } };
    expect(remarksAt(short)).toEqual([
      'saliency movement is learnt by the updates of recovery, and 16 are few: below 256 it left far worse models than magnitude wherever both were tried; train for longer, or take magnitude',
    ]);
    expect(remarksAt({ ...short, saliency: 'soft-movement' })).toHaveLength(1);
    expect(remarksAt({ ...short, recover: { uses: 'train', steps: 256 } })).toEqual([]);
    expect(remarksAt({ ...short, saliency: 'obs' })).toEqual([]);
  });

  test('a saliency that learns is told where the model does not answer what the data asks', () => {
    const config = { sparsity: 0.5, saliency: 'obs' };
    expect(problemsAt(config, 'text-classification')).toEqual([]);
    expect(problemsAt(config, 'features')).toEqual([
      {
        path: ['saliency'],
        message:
          'saliency obs measures a loss on what the data says, the model puts out features; train it first, or choose saliency: magnitude',
      },
    ]);
    expect(problemsAt({ sparsity: 0.5, saliency: 'sparsegpt' }, 'features')).toEqual([]);
  });
});
