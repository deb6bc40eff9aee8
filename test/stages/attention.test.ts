import { afterAll, describe, expect, it } from 'vitest';
import type { HostTensor } from '../../engine/engine.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { numbersOf } from '../../graph/tensor.ts';
import type { Json } from '../../ground/json.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { kinds } from '../../models/attention/kinds/index.ts';
import { readModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { attentionConfig } from '../../stages/attention/config.ts';
import { foreseeAttention } from '../../stages/attention/foresee.ts';
import { attention } from '../../stages/attention/index.ts';
import { changed } from '../../stages/attention/work.ts';
import { groupsOf } from '../../stages/profile/groups.ts';
import { prune } from '../../stages/prune/index.ts';
import { quantize } from '../../stages/quantize/index.ts';
import { trainStage } from '../../stages/train/index.ts';
import { tinyDecoder } from '../decoders/tiny.ts';
import { outputsOf } from '../graph/rewrite-run.ts';
import { batchOf, smallEncoder } from '../models/support.ts';
import { workspace } from '../rig/workspace.ts';
import { datasetArtifact, modelArtifact, runStage, smallDataset } from './training-rig.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());

const small = { width: 3, global: 2, random: 1, features: 4 } as const;
const steps = { uses: 'train', steps: 2, batch: 16 } as const;

/** The kind with settings that short texts have several blocks of. */
const optionsOf = (name: string): Readonly<Record<string, Json>> => {
  const { settings } = kinds.find((kind) => kind.name === name) ?? {};
  return { kind: name, ...Object.fromEntries(Object.entries(small).filter(([key]) => key in (settings ?? {}))) };
};

const dataset = () => datasetArtifact(space, smallDataset(48, 0));

describe('the attention stage', () => {
  it.each(kinds.map(({ name }) => name))('puts %s attention into a model, which trains', async (name) => {
    const inputs = { model: await modelArtifact(space, 'start', smallEncoder()), dataset: await dataset() };
    const { metrics } = await runStage(space, attention, inputs, { ...optionsOf(name), recover: steps }, { name });
    expect(metrics).toMatchObject({ attention: { ...optionsOf(name), longest: 12 }, training: { steps: 2 } });
    const { graph } = await readModel(space.path(name, 'model'));
    expect(graph.inputs).toEqual(smallEncoder().graph.inputs);
    expect(
      [...graph.weights.values()].every(({ dtype, bytes }) => dtype !== 'float32' || bytes.read().length > 0),
    ).toBe(true);
  });

  it('leaves a model that other stages take: cut, in 8 bits, and from random weights', async () => {
    const inputs = { model: await modelArtifact(space, 'whole', smallEncoder({ hidden: 128, ffn: 256 })) };
    const { output } = await runStage(space, attention, inputs, optionsOf('global-window'), { name: 'global' });
    const cut = { keep: { heads: 2, hidden: 64, ffn: 128 }, criterion: 'magnitude' };
    const pruned = await runStage(space, prune, { model: output, dataset: await dataset() }, cut, { name: 'cut' });
    const { layers } = anatomyOf((await readModel(space.path('cut', 'model'))).graph);
    expect(layers.map(({ heads }) => heads.map(({ count }) => count))).toEqual([[2], [2]]);
    const { metrics } = await runStage(space, quantize, { model: pruned.output }, {}, { name: 'int8' });
    expect(Object(metrics.deviation).meanCosine).toBeGreaterThan(0.99);
    const like = { model: output, dataset: await dataset() };
    const again = await runStage(space, trainStage, like, { like: 'global', steps: 2 }, { name: 'again' });
    expect(again.metrics.training).toMatchObject({ steps: 2 });
  });

  it('changes the layers that are named, and no other', async () => {
    const model = smallEncoder({ layers: 3 });
    const given = attentionConfig.parse({ kind: 'block', width: 3, layers: [0, 2] });
    const names = changed(model, given, 1).graph.nodes.map(({ name }) => name);
    const changedLayers = [0, 1, 2].filter((layer) => names.some((name) => name.includes(`attention.${layer}.block`)));
    expect(changedLayers).toEqual([0, 2]);
  });

  it('answers about short texts as the model before where a window reaches all of them', async () => {
    const model = smallEncoder();
    const windowed = changed(model, attentionConfig.parse({ kind: 'window', width: 11 }), 1);
    const feeds = batchOf([[2, 3, 4, 5, 6, 7], [3]]);
    const [before, after] = [await outputsOf(model.graph, feeds), await outputsOf(windowed.graph, feeds)];
    expect(Math.max(...(before[0] ?? []).map((x, i) => Math.abs(x - (after[0]?.[i] ?? 0))))).toBeLessThan(1e-6);
  });
});

describe('positions for longer texts', () => {
  it.each(['copy', 'interpolate'])('are made of those that there are: %s', async (by) => {
    const model = smallEncoder();
    const long = changed(model, attentionConfig.parse({ positions: { to: 30, by } }), 1);
    expect(long.info.maxLength).toBe(30);
    const ids = Array.from({ length: 30 }, (_, i) => 2 + (i % 8));
    const [answer] = await outputsOf(long.graph, batchOf([ids]));
    expect(answer?.every(Number.isFinite)).toBe(true);
    const short = batchOf([[2, 3, 4, 5, 6, 7]]);
    const [before, after] = [await outputsOf(model.graph, short), await outputsOf(long.graph, short)];
    if (by === 'copy') expect(after).toEqual(before);
    else expect(after).not.toEqual(before);
  });
});

/** A text whose positions are so far apart: every key counts as often, so that each still sees itself and those before. */
const apart = (distance: number, ids: readonly number[]): Readonly<Record<string, HostTensor>> => {
  const input = (at: (i: number) => number): HostTensor => ({
    dtype: 'int64',
    dims: [1, ids.length],
    data: BigInt64Array.from(ids, (_, i) => BigInt(at(i))),
  });
  return {
    input_ids: input((i) => ids[i] ?? 0),
    attention_mask: input(() => distance),
    position_ids: input((i) => distance * (i + 1) - 1),
  };
};

describe('rotary positions for longer texts', () => {
  const model = tinyDecoder();
  const long = (by: string): Model =>
    changed(model, attentionConfig.parse({ positions: { to: 2 * model.info.maxLength, by } }), 1);
  const turns = ({ graph }: Model): readonly number[] => {
    const angle = graph.nodes.find(({ op }) => op === 'Cos')?.inputs[0];
    const factors = graph.nodes.find(({ outputs: [output] }) => output === angle)?.inputs ?? [];
    return factors.flatMap((name) => {
      const tensor = name === null ? undefined : graph.weights.get(name);
      return tensor === undefined ? [] : [...numbersOf(tensor)];
    });
  };

  it('answer at twice the distances as before where they are interpolated', async () => {
    const ids = [5, 9, 4, 17, 80, 3, 12];
    const [before] = await outputsOf(model.graph, apart(1, ids));
    const [far] = await outputsOf(model.graph, apart(2, ids));
    const [after] = await outputsOf(long('interpolate').graph, apart(2, ids));
    const furthest = (found: ArrayLike<number> = []) =>
      Math.max(...Array.from(before ?? [], (x, i) => Math.abs(x - (found[i] ?? Number.NaN))));
    expect(furthest(after)).toBeLessThan(1e-5);
    expect(furthest(far)).toBeGreaterThan(1e-3);
    expect(long('interpolate').info.checkpoint).toMatchObject({ rope_scaling: { rope_type: 'linear', factor: 2 } });
  });

  it('keep the quickest turn and slow the slowest by as much as texts grow where they are scaled', () => {
    const [before, after] = [turns(model), turns(long('scale'))];
    const ratios = before.map((turn, i) => turn / (after[i] ?? Number.NaN));
    const half = ratios.slice(0, ratios.length / 2);
    expect(half).toEqual(half.toSorted((a, b) => a - b));
    expect(half[0]).toBe(1);
    expect(half.at(-1)).toBeCloseTo(2, 5);
    expect(ratios.slice(ratios.length / 2)).toEqual(half);
    // theta times s^(d / (d - 2)), for heads of 8.
    expect(long('scale').info.checkpoint?.rope_theta).toBeCloseTo(10_000 * 2 ** (8 / 6), 2);
    expect(turns(long('copy'))).toEqual(before);
  });

  it('are refused where there are none', () => {
    const given = attentionConfig.parse({ positions: { to: 30, by: 'scale' } });
    expect(() => changed(smallEncoder(), given, 1)).toThrow(
      'the model has no rotary positions to scale; take by: copy',
    );
  });
});

describe('the profile', () => {
  const names = ['full', ...kinds.map(({ name }) => name)];
  it.each(names)('counts all of %s attention as attention, and nothing else', (name) => {
    const model = smallEncoder();
    const given = name === 'full' ? model : changed(model, attentionConfig.parse(optionsOf(name)), 1);
    const groups = [...groupsOf(fuseForInference(given.graph))];
    const named = (part: string) => groups.filter(([node]) => node.name.includes(part)).map(([, group]) => group);
    expect(groups.some(([, group]) => group === 'attention')).toBe(true);
    expect(named('attention.0.').filter((group) => group !== 'attention')).toEqual([]);
    expect([...named('ffn'), ...named('embeddings'), ...named('classifier')]).not.toContain('attention');
    const rest = groups.filter(([, group]) => group === 'other').map(([{ op }]) => op);
    expect(rest).not.toContain('Pad');
    expect(rest).toContain('LayerNormalization');
  });
});

const problemsOf = (given: unknown): readonly string[] =>
  attentionConfig.safeParse(given).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('wrong input', () => {
  it('is told in the file', () => {
    expect(problemsOf({})).toEqual([
      ': expected what to change: kind (such as window), or positions (such as { to: 2048 })',
    ]);
    expect(problemsOf({ kind: 'linear', width: 3 })).toEqual(['width: kind linear has no width']);
    expect(problemsOf({ positions: { to: 9 }, width: 3 })).toEqual(['width: width is of a kind: name one']);
    expect(problemsOf({ kind: 'global-window', width: 4, global: 5 })).toEqual([
      'global: 5 global positions are more than a block of width 4; expected at most 4',
    ]);
    expect(problemsOf({ kind: 'pooled', width: 1 })).toEqual([
      'width: means of one position each are full attention; expected 2 or more',
    ]);
  });

  it('is foreseen where the model tells', () => {
    const model = { maxLength: 128, sizes: { hidden: 64, heads: 4, layers: 2 } };
    const foreseen = (given: unknown) =>
      foreseeAttention(attentionConfig.parse(given), { models: { model }, data: undefined, base: '.' });
    expect(foreseen({ kind: 'window', width: 128, layers: [2] }).problems).toEqual([
      { path: ['layers', 0], message: "the model's layers are 0 to 1; found 2" },
      { path: ['width'], message: 'width 128 reaches all: the longest text has 128 tokens; take less' },
    ]);
    const decoder = { ...model, task: 'text-generation' as const };
    const writing = foreseeAttention(attentionConfig.parse({ kind: 'block' }), {
      ...{ models: { model: decoder }, data: undefined, base: '.' },
    });
    expect(writing).toMatchObject({
      remarks: [],
      problems: [
        {
          path: ['kind'],
          message:
            'block attention lets tokens see those behind them, and a model of text-generation writes those: no kind is for decoders',
        },
      ],
    });
    expect(foreseen({ positions: { to: 100 } }).problems).toEqual([
      { path: ['positions', 'to'], message: 'the model has positions for 128 tokens already; expected more' },
    ]);
    const long = foreseen({ kind: 'window', positions: { to: 2048 } });
    expect(long).toMatchObject({ model: { maxLength: 2048 }, problems: [] });
    expect(long.remarks?.[0]).toMatch(/^window attention saves time from about \d+ tokens on, by a formula/);
  });

  it('is refused by a graph whose attention is another kind already', () => {
    const once = changed(smallEncoder(), attentionConfig.parse({ kind: 'block', width: 3 }), 1);
    expect(() => changed(once, attentionConfig.parse({ kind: 'window', width: 2 }), 1)).toThrow(
      /cannot become one of another kind: it does not compare all positions of a text with each other/,
    );
  });
});
