import { readFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { value } from '../../graph/graph.ts';
import { formats } from '../../graph/quantize/formats/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { arrayOf, float32Of, tensorOf } from '../../graph/tensor.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { UserError } from '../../ground/errors.ts';
import type { Metrics } from '../../ground/json.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import { readModel, writeModel } from '../../models/files.ts';
import { inspectGraph } from '../../models/inspect.ts';
import type { Model } from '../../models/model.ts';
import { precisionOf } from '../../models/precision-of.ts';
import { isQuantized } from '../../models/quantized.ts';
import { describeProducts, subjectOf } from '../../stages/profile/subject.ts';
import { needsTexts, config as options } from '../../stages/quantize/config.ts';
import { readDecision } from '../../stages/quantize/decision.ts';
import { quantize } from '../../stages/quantize/index.ts';
import { batchOf, smallEncoder } from '../models/support.ts';
import { workspace } from '../rig/workspace.ts';
import { artifactOf, contextIn } from './stage-rig.ts';
import { datasetArtifact, smallDataset } from './training-rig.ts';

const space = workspace();
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'decant-quantize-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  space[Symbol.dispose]();
});

const encoder = (): Model => smallEncoder({ hidden: 64, ffn: 128, vocabulary: 2000, activation: 'relu' });

/** Runs the stage on a model in folders of its own. */
const run = async (
  name: string,
  model: Model,
  config: unknown = {},
  others: Readonly<Record<string, InputArtifact>> = {},
): Promise<{ metrics: Metrics; model: Model }> => {
  const source = join(folder, `${name}-in`);
  await writeModel(source, model);
  const context = contextIn(join(folder, name));
  const metrics = await quantize.run(
    { model: await artifactOf(source, 'model'), ...others },
    quantize.config.parse(config),
    context,
  );
  return { metrics, model: await readModel(join(folder, name, 'model')) };
};

/** The same with training texts, where the options ask for some. */
const runWithTexts = async (name: string, model: Model, config: unknown) => {
  const dataset = await datasetArtifact(space, smallDataset());
  return await run(name, model, config, { dataset });
};

const sumOf = <Key extends string>(list: readonly Readonly<Record<Key, number>>[], key: Key): number =>
  list.reduce((sum, one) => sum + (one[key] ?? Number.NaN), 0);

/** A model whose neurons grow beyond what float16 holds, and come back. */
const loud = (model: Model): Model => {
  const weights = new Map(model.graph.weights);
  const times = (part: RegExp, factor: number): void => {
    for (const [name, tensor] of weights) {
      if (!part.test(name)) continue;
      const data = Float32Array.from(float32Of(tensor), (x) => x * factor);
      weights.set(name, tensorOf('float32', tensor.dims, data));
    }
  };
  times(/intermediate\.dense/, 2 ** 20);
  times(/layer\.\d+\.output\.dense\.weight/, 2 ** -20);
  return { ...model, graph: { ...model.graph, weights } };
};

const bytesOf = async (name: string): Promise<number> => (await stat(join(folder, name, 'model.onnx'))).size;

describe('the quantize stage', () => {
  it('writes a smaller model that follows its source, and says what it did', async () => {
    const { metrics, model } = await run('plain', encoder());
    expect(isQuantized(model.graph)).toBe(true);
    expect(await bytesOf('plain-in')).toBeGreaterThan(3 * (await bytesOf('plain/model')));
    expect(metrics).toMatchObject({ quantization: { quantized: 9, kept: 2 }, deviation: { texts: 32 } });
    const { deviation } = metrics;
    expect(deviation).toMatchObject({ meanCosine: expect.closeTo(1, 2) });
  });

  it('keeps what else belongs to a model, but not the names of values that fusing removed', async () => {
    const made = encoder();
    const states = [...hiddenStatesOf(made), value('gone')];
    const source = { ...made, info: { ...made.info, hiddenStates: states } };
    const { model } = await run('info', source);
    expect(model.tokenizer).toEqual(source.tokenizer);
    expect({ ...model.info, hiddenStates: states }).toEqual(source.info);
    const computed = new Set(model.graph.nodes.flatMap(({ outputs }) => outputs));
    expect(model.info.hiddenStates?.every((name) => computed.has(name))).toBe(true);
  });

  it('gives the same bytes and the same metrics again', async () => {
    const first = await run('once', encoder());
    const second = await run('again', encoder());
    expect(second.metrics).toEqual(first.metrics);
    const files = await Promise.all(['once', 'again'].map((name) => artifactOf(join(folder, name, 'model'), 'model')));
    expect(files[0]?.artifact.files).toEqual(files[1]?.artifact.files);
  });

  it('keeps its bytes while it keeps its version', async () => {
    await run('golden', encoder());
    const { artifact } = await artifactOf(join(folder, 'golden', 'model'), 'model');
    const lines = Object.entries(artifact.files).map(([file, { digest }]) => `${file} ${digest}\n`);
    // Other bytes under the same version would leave stale cache entries in use: raise the version, then run with -u.
    await expect(lines.sort().join('')).toMatchFileSnapshot(`../golden/quantize-version-${quantize.version}.txt`);
  });

  it.each([
    ['without options', {}, {}],
    ['with weights left out', { exclude: ['encoder.layer.0.*'] }, { 'encoder.layer.0.': 'excluded' }],
  ])('writes down what it decided, and a profile describes that model: %s', async (name, config, reasons) => {
    const { model } = await run(`decided ${name}`, encoder(), config);
    const decision = await readDecision(await artifactOf(join(folder, `decided ${name}`, 'model'), 'model'));
    const fused = fuseForInference(model.graph);
    const feeds = batchOf([[7, 8, 3, 6, 2, 9]]);
    const products = describeProducts(await subjectOf(fused, feeds), fused, decision);
    const floats = products.filter(({ dtype }) => dtype === 'float32');
    const expected = floats.map(({ weight }) => {
      const [, reason] = Object.entries(reasons).find(([prefix]) => weight.startsWith(prefix)) ?? [];
      return reason ?? 'smaller than 4160 elements';
    });
    expect(floats.map(({ kept }) => kept)).toEqual(expected);
    expect(floats.length).toBe(name === 'without options' ? 1 : 5);
  });

  it('decided nothing about a model that no stage quantized', async () => {
    expect(await readDecision(await artifactOf(join(folder, 'plain-in'), 'model'))).toBeUndefined();
  });

  it('leaves embeddings and excluded weights in float when asked', async () => {
    const exclude = ['encoder.layer.0.*'];
    const { metrics, model } = await run('asked', encoder(), { embeddings: false, exclude });
    expect(metrics).toMatchObject({ quantization: { quantized: 4, kept: 7 } });
    const names = [...model.graph.weights.keys()].filter((name) => name.endsWith('_quantized'));
    expect(names.every((name) => name.startsWith('encoder.layer.1.'))).toBe(true);
  });

  it('keeps weights within 7 bits when asked', async () => {
    const { model } = await run('seven', encoder(), { reduceRange: true, embeddings: false });
    const integers = [...model.graph.weights.values()].filter(({ dtype }) => dtype === 'int8');
    expect(integers.length).toBe(8);
    for (const tensor of integers) {
      expect(Math.max(...arrayOf({ ...tensor, dtype: 'int8' }).map(Math.abs))).toBe(63);
    }
  });

  it('counts the same parameters before and after', async () => {
    const source = encoder();
    const { model } = await run('counted', source);
    const parameters = ({ graph }: Model): number => inspectGraph(graph, { length: 12 }).parameters;
    expect(parameters(model)).toBe(parameters(source));
  });

  it('refuses a model of which nothing can be quantized, and says why', async () => {
    const remedy = 'leave quantization out, exclude less, or take a larger model';
    await expect(run('small', smallEncoder())).rejects.toThrow(
      `no matrix of this model can be stored in 8 bits (3 smaller than 4160 elements, 8 smaller than 4096 elements): ${remedy}`,
    );
    await expect(run('excluded', encoder(), { exclude: ['*'] })).rejects.toThrow(
      `no matrix of this model can be stored in 8 bits (11 excluded): ${remedy}`,
    );
  });

  it('refuses a model that is quantized already', async () => {
    const { model } = await run('first', encoder());
    await expect(run('second', model)).rejects.toThrow('the model is quantized already');
  });

  it('refuses weights that are no numbers, and exclusions that name nothing, as the user’s to mend', async () => {
    const source = encoder();
    const name = [...source.graph.weights.keys()].find((key) => key.endsWith('output.dense.weight'));
    if (name === undefined) throw new Error('the encoder has no such weight');
    const tensor = source.graph.weights.get(name);
    const data = tensor === undefined ? new Float32Array() : float32Of(tensor).slice();
    data[0] = Number.NaN;
    const weights = new Map(source.graph.weights).set(name, tensorOf('float32', tensor?.dims ?? [], data));
    const broken = run('broken', { ...source, graph: { ...source.graph, weights } });
    await expect(broken).rejects.toThrow(UserError);
    await expect(broken).rejects.toThrow(`the weight '${name}' holds NaN or infinity in column 0`);
    await expect(run('misspelt', encoder(), { exclude: ['clasifier.weight'] })).rejects.toThrow(UserError);
  });

  it('stops when it is told to', async () => {
    const source = join(folder, 'stopped-in');
    await writeModel(source, encoder());
    const signal = AbortSignal.abort(new Error('stopped'));
    const input = { model: await artifactOf(source, 'model') };
    const stopped = quantize.run(input, quantize.config.parse({}), { ...contextIn(join(folder, 'stopped')), signal });
    await expect(stopped).rejects.toThrow('stopped');
  });

  describe.each(formats)('in $name', ({ name, dtype }) => {
    const stored = (label: string, texts: number) => {
      const reads = needsTexts(options.parse({ format: name }));
      const config = { format: name, ...(reads ? { calibration: texts } : {}) };
      return runWithTexts(`${name}-${label}`, smallEncoder({ hidden: 64, ffn: 128, layers: 2 }), config);
    };

    it('stores what its file is called, and follows the source on texts that it read', async () => {
      const { model, metrics } = await stored('read', 20);
      expect(precisionOf(model.graph)).toBe(dtype);
      expect(metrics).toMatchObject({ quantization: { format: name } });
      expect(Number(Object(metrics.deviation).meanCosine)).toBeGreaterThan(0.97);
    });

    it('gives the same bytes again', async () => {
      await stored('first', 5);
      await stored('again', 5);
      const [first, again] = [`${name}-first`, `${name}-again`].map((at) =>
        readFileSync(join(folder, at, 'model', 'model.onnx')),
      );
      expect(first?.equals(again ?? Buffer.of())).toBe(true);
    });
  });

  it('tells how much evening out brought, by the product', async () => {
    const { metrics } = await runWithTexts('even', encoder(), {});
    const { smoothing } = Object(metrics.quantization);
    expect(smoothing.length).toBeGreaterThan(2);
    for (const { alpha, error } of smoothing) expect(alpha === 0 ? error === 1 : error < 0.9).toBe(true);
  });

  it('names the channels that leave few steps to the others', async () => {
    const source = encoder();
    const weights = new Map(source.graph.weights);
    const scale = [...weights.keys()].find((name) => /layer\.0.*LayerNorm\.weight$/.test(name));
    const tensor = scale === undefined ? undefined : weights.get(scale);
    if (scale === undefined || tensor === undefined) throw new Error('the encoder has norms');
    const data = float32Of(tensor).slice();
    data[5] = 500;
    weights.set(scale, tensorOf('float32', tensor.dims, data));
    const { metrics } = await runWithTexts('outlier', { ...source, graph: { ...source.graph, weights } }, {});
    const { smoothing } = Object(metrics.quantization);
    expect(smoothing.some(({ outliers }: { outliers: readonly number[] }) => outliers[0] === 5)).toBe(true);
    expect(smoothing.some(({ outliers }: { outliers: readonly number[] }) => outliers.length === 0)).toBe(true);
  });

  it.each(['awq', 'awq-gptq', 'hqq', 'nearest'])(
    'rounds to blocks by %s, and says how far inputs were evened',
    async (rounding) => {
      const given = { format: 'q4', rounding };
      const { metrics } = await runWithTexts(`rounded-${rounding}`, encoder(), given);
      const { smoothing = [] } = Object(metrics.quantization);
      expect(smoothing.length > 0).toBe(rounding.startsWith('awq'));
      for (const { alpha, error } of smoothing) expect(alpha === 0 ? error === 1 : error < 1).toBe(true);
      expect(Number(Object(metrics.deviation).meanCosine)).toBeGreaterThan(0.97);
    },
  );

  it('keeps in float32 what float16 does not reach, names it, and answers as before', async () => {
    const source = loud(smallEncoder({ hidden: 64, ffn: 128, activation: 'relu' }));
    const { metrics } = await runWithTexts('loud', source, { format: 'fp16', calibration: 10 });
    const { islands } = Object(metrics.quantization);
    expect(Object.values(islands).every((peak) => Number(peak) > 16_000)).toBe(true);
    expect(Object.keys(islands).length).toBeGreaterThan(0);
    expect(Number(Object(metrics.deviation).meanCosine)).toBeGreaterThan(0.99999);
  });

  describe('within a budget', () => {
    const source = () => smallEncoder({ hidden: 64, ffn: 128, layers: 2, vocabulary: 3000 });
    const budgetOf = ({ metrics }: { metrics: Metrics }) => Object(Object(metrics.quantization).budget);
    type Told = {
      readonly storage: string;
      readonly options: readonly { readonly bytes: number; readonly harm: number }[];
    };
    const sitesIn = (budget: { readonly sites: readonly Told[] }) =>
      budget.sites.map(({ storage, options: [few, more] }) => ({
        isWide: storage !== 'int4',
        harm: few?.harm ?? Number.NaN,
        bytes: more?.bytes ?? Number.NaN,
      }));

    it('gives 8 bits to what loses most, keeps to the bytes, and foretells what is lost', async () => {
      const small = budgetOf(
        await runWithTexts('all', source(), { format: 'q4', block: 32, budget: { bytes: '400kB' } }),
      );
      const all = sitesIn(small);
      const bytes = Math.round(small.curve[0].bytes + 0.5 * sumOf(all, 'bytes'));
      const given = { format: 'q4', block: 32, budget: { bytes: `${bytes}B` } };
      const mixed = budgetOf(await runWithTexts('mixed', source(), given));
      const sites = sitesIn(mixed);
      expect(mixed.bytes).toBe(await bytesOf('mixed/model'));
      expect(mixed.bytes).toBeLessThanOrEqual(bytes);
      expect(sites.some(({ isWide }) => isWide)).toBe(true);
      expect(sites.every(({ isWide }) => isWide)).toBe(false);
      expect(mixed.reached).toBeLessThan(mixed.whole);
      expect(mixed.predicted / mixed.reached).toBeGreaterThan(0.5);
      expect(mixed.predicted / mixed.reached).toBeLessThan(2);
      expect(sumOf(sites, 'harm') / mixed.whole).toBeGreaterThan(0.5);
      expect(sumOf(sites, 'harm') / mixed.whole).toBeLessThan(2);
    });

    it('refuses one that cannot be reached', async () => {
      await expect(runWithTexts('tight', source(), { format: 'q4', budget: { bytes: '10kB' } })).rejects.toThrow(
        /^budget: 10kB cannot be reached: with every weight in the fewest bits the file has \d+kB; allow that/,
      );
    });
  });

  it.each([
    [{ format: 'int8', block: 32 }, 'the format int8 stores no blocks: leave block out, or name another format'],
    [{ format: 'q4', smooth: true }, 'the format q4 has no 8-bit products: leave smooth out, or name another format'],
    [{ format: 'fp16', reduceRange: true }, 'the format fp16 has no 8-bit products'],
    [{ format: 'q4', rounding: 'nearest', calibration: 3 }, 'no activations are looked at: leave calibration out'],
  ])('refuses what a format has no use for: %o', (given, message) => {
    const { error } = quantize.config.safeParse(given);
    expect(error?.issues.map((issue) => issue.message).join()).toContain(message);
  });

  it('refuses options that it does not have', () => {
    expect(quantize.config.safeParse({ weights: 'int4' }).success).toBe(false);
    expect(quantize.config.safeParse({ embedings: true }).success).toBe(false);
    expect(quantize.config.parse({})).toEqual({ format: 'int8', embeddings: true, reduceRange: false, exclude: [] });
  });
});
