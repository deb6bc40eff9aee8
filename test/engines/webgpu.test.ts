import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Engine, HostTensor } from '../../engine/engine.ts';
import { findEngine } from '../../engine/engines/index.ts';
import { LoweredProgram } from '../../engine/engines/onnxruntime/lowered.ts';
import { openGraph } from '../../engine/engines/onnxruntime/open.ts';
import { probe } from '../../engine/engines/onnxruntime/probe.ts';
import { Traffic } from '../../engine/engines/traffic.ts';
import { adapterOf, macCards, nvidiaCard, windowsCards } from '../../engine/engines/webgpu/adapters.ts';
import { explained } from '../../engine/engines/webgpu/failures.ts';
import { missingBecause } from '../../engine/engines/webgpu/find.ts';
import { webgpu } from '../../engine/engines/webgpu/index.ts';
import { lowering, onGpu } from '../../engine/engines/webgpu/provider.ts';
import { lackOf } from '../../engine/memory/lack.ts';
import { train } from '../../engine/train.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { lower, loweringRules } from '../../graph/lower/index.ts';
import type { AnyRule } from '../../graph/rewrite/rule.ts';
import { isUserError } from '../../ground/errors.ts';
import { tinyModel } from '../engine/rig.ts';
import { feedsFor } from '../graph/rewrite-run.ts';
import { verdictOn } from './conformance.ts';
import { allowSoftwareAdapter } from './software-adapter.ts';
import { apart, plainRequest } from './training.ts';

allowSoftwareAdapter();
const found = await findEngine('webgpu');
const adapter = 'device' in found ? found.device : undefined;

/** Float32 sums in another order. */
const ROUNDING = 5e-6;

/** After 50 updates. */
const CLOSE = 2e-5;

const runs = adapter === undefined ? describe.skip : describe;

it.skipIf(adapter !== undefined)(
  `WebGPU is tried on no adapter here: ${'missing' in found ? `${found.missing}; ${found.install ?? ''}` : 'it is'}`,
  (context) => context.skip(),
);

/** The runtime's kernels as they are, but for integers, which are narrow whatever the rules. */
const withoutRules = async (): Promise<Engine> => {
  const engine = await webgpu.open();
  return {
    ...engine,
    compile: async (graph, options) => {
      const lowered = lower(graph, { ...lowering, rules: [] });
      const program = await openGraph(lowered.graph, options, { provider: onGpu, traffic: new Traffic() });
      return new LoweredProgram(graph, lowered, program, (work) => work);
    },
  };
};

/** Some kernels go wrong from 32 positions on. */
const symbols = { batch: 3, sequence: 36 };

/** The first sample of a rule: shaders take a while to compile. */
const caseOf = ({ fires: [sample] }: AnyRule) => {
  if (sample === undefined) throw new Error('every rule has a sample');
  const graph = sample.graph();
  return { graph, feeds: feedsFor(graph, symbols, { seed: 1, vocabulary: 3 }) };
};

runs('a rule of WebGPU', () => {
  it.each(Object.values(loweringRules))('is needed: $name', async (rule) => {
    // When this fails, ONNX Runtime has mended what the rule goes around: let the rule go.
    expect(await verdictOn(await withoutRules(), caseOf(rule), ROUNDING)).not.toBe('right');
  });

  it.each(Object.values(loweringRules))('helps: $name', async (rule) => {
    expect(await verdictOn(await webgpu.open(), caseOf(rule), ROUNDING)).toBe('right');
  });
});

const eventSchema = z.array(
  z.object({ name: z.string(), args: z.object({ provider: z.string().optional() }).loose().optional() }),
);

/** Which provider computed how many nodes, as the runtime notes it. */
const providersOf = (folder: string): Readonly<Record<string, number>> => {
  const [file] = readdirSync(folder);
  const counts: Record<string, number> = {};
  for (const { name, args } of eventSchema.parse(JSON.parse(readFileSync(join(folder, file ?? ''), 'utf8')))) {
    const provider = args?.provider;
    if (provider !== undefined && name.endsWith('_kernel_time')) counts[provider] = (counts[provider] ?? 0) + 1;
  }
  return counts;
};

runs('training on WebGPU', () => {
  it('gives the weights of the CPU after 50 updates, moves little, and leaves the CPU nothing to compute', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'decant-profile-'));
    const model = tinyModel({ hidden: 8, layers: 1, ffn: 12 });
    const request = () => plainRequest({ dropout: 0.2, tokenDropout: 0.1, clip: 0.1 }, { model });
    const engine = await webgpu.open();
    const before = engine.moved();
    const device = await train({ ...request(), engine, profilePrefix: join(folder, 'update') });
    const after = engine.moved();
    const host = await train(request());
    const providers = providersOf(folder);
    rmSync(folder, { recursive: true });
    expect(apart(host.model, device.model)).toBeLessThan(CLOSE);
    expect(Object.keys(providers)).toEqual(['WebGpuExecutionProvider']);
    expect(providers.WebGpuExecutionProvider).toBeGreaterThan(50 * 200);
    // Ids, masks and targets of 8 short texts, and numbers of the optimizer; weights are 30 kB and went up once.
    expect((after.up - before.up) / 50).toBeLessThan(10_000);
    expect((after.down - before.down) / 50).toBeLessThan(1_500);
  });
});

/** All pairs of numbers, which are as many as the square. */
const squares = (): Graph => {
  const builder = new GraphBuilder('squares');
  const x = builder.input('x', 'float32', [symbol('n')]);
  const [column, row] = [1, 0].map((axis) => builder.op('Unsqueeze', [x, builder.ints([axis])]));
  if (column === undefined || row === undefined) throw new Error('two shapes are there');
  return builder.freeze([builder.op('ReduceSum', [builder.op('Mul', [column, row])], { keepdims: 0 }, 'y')]);
};

const ones = (n: number): HostTensor => ({ dtype: 'float32', dims: [n], data: new Float32Array(n).fill(1) });

runs('an adapter whose memory does not suffice', () => {
  it.skipIf(adapter?.software !== true)('says so, and goes on with what fits', async () => {
    const program = await (await webgpu.open()).compile(squares(), { threads: 1 });
    const error: unknown = await program.run({ x: ones(40_000) }).catch((thrown: unknown) => thrown);
    expect(isUserError(error, 'engine')).toBe(true);
    expect(error).toMatchObject({
      code: 'memory',
      message: expect.stringMatching(
        /^the adapter SwiftShader, .+ has not enough memory for this.*; take --engine cpu$/,
      ),
    });
    await expect(program.run({ x: ones(300_000) })).rejects.toThrow('has not enough memory');
    expect((await program.run({ x: ones(100) })).y?.data[0]).toBe(10_000);
    await program.release();
  });
});

describe('what goes wrong on an adapter', () => {
  it.each([
    [
      'WebGPU device lost (2): vkQueueSubmit failed with VK_ERROR_DEVICE_LOST',
      'adapter-lost',
      'goes on from the last checkpoint',
    ],
    ['vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY', 'memory', 'has not enough memory for this'],
    ['WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid', 'memory', 'take --engine cpu'],
  ])('is told with what to do: %s', (text, code, advice) => {
    expect(explained(new Error(text), 'A')).toMatchObject({ code, message: expect.stringContaining(advice) });
  });

  it('is told with the sizes that are asked for and possible', () => {
    const limit = 'WebGPU validation failed. Buffer size (6400000000) exceeds the max buffer size limit (1073741824).';
    expect(explained(new Error(limit), 'A')).toMatchObject({
      message:
        'the adapter A has not enough memory for this: a piece of 6400 MB was asked for, 1074 MB are possible; take --engine cpu',
    });
    expect(lackOf(explained(new Error(limit), 'A'))?.times).toBeCloseTo(5.96, 2);
  });

  it('is left as it is where it is none of that', () => {
    const error = new Error('the program was released');
    expect(explained(error, 'A')).toBe(error);
  });
});

describe('an adapter is looked for in a process of its own', () => {
  /** A process in the place of the one that tries the adapter. */
  const attempt = async (program: string, seconds?: number) => {
    const folder = mkdtempSync(join(tmpdir(), 'decant-probe-'));
    const module = join(folder, 'probe.mjs');
    writeFileSync(module, program);
    const said = await probe(onGpu, { module, ...(seconds === undefined ? {} : { seconds }) });
    rmSync(folder, { recursive: true });
    return said.problem;
  };

  it('whose crash or silence is no other one', async () => {
    expect(await attempt("process.kill(process.pid, 'SIGSEGV'); setInterval(() => {}, 1000);")).toBe(
      'its process ended with SIGSEGV',
    );
    expect(await attempt('process.exit(134);')).toBe('its process ended with code 134');
    expect(await attempt('setInterval(() => {}, 1000);', 1)).toBe('it did not end within 1 s');
  });

  it.skipIf(process.platform !== 'linux')('and a machine without one is told what brings one', async () => {
    const { VK_ICD_FILENAMES } = process.env;
    process.env.VK_ICD_FILENAMES = '/nowhere/icd.json';
    const here = await webgpu.find();
    await expect(webgpu.open()).rejects.toThrow(/^the engine webgpu is not there: .+; apt-get install /);
    if (VK_ICD_FILENAMES === undefined) delete process.env.VK_ICD_FILENAMES;
    else process.env.VK_ICD_FILENAMES = VK_ICD_FILENAMES;
    expect(here).toMatchObject({ install: expect.stringMatching(/^apt-get install (libvulkan1|mesa-vulkan-drivers)/) });
  });

  it('and what else it may say is passed on', () => {
    expect(missingBecause('it did not end within 60 s')).toEqual({
      missing: 'the adapter cannot be used: it did not end within 60 s',
    });
    expect(missingBecause('no available backend found. ERR: [webgpu] backend not found.')).toEqual({
      missing: `ONNX Runtime for ${process.platform} on ${process.arch} comes without WebGPU`,
    });
  });
});

describe('an adapter is called', () => {
  it('what its driver for the processor is called, where no driver of a card was loaded', async () => {
    expect(await adapterOf(['libvulkan.so.1', 'libvk_swiftshader.so'])).toEqual({
      ...{ name: 'SwiftShader, which computes on the processor', software: true },
    });
    expect(await adapterOf(['libvulkan_lvp.so'])).toMatchObject({ software: true });
    expect(await adapterOf(['libvulkan_lvp.so', 'libvulkan_radeon.so'])).not.toHaveProperty('software');
  });

  it('what systems call their cards', () => {
    expect(
      nvidiaCard('Model: \t\t NVIDIA H200\nIRQ: 1', 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Thu'),
    ).toEqual({
      ...{ name: 'NVIDIA H200', driver: 'NVIDIA 570.86.15' },
    });
    expect(macCards('{"SPDisplaysDataType":[{"sppci_model":"Apple M3 Pro","spdisplays_vendor":"x"}]}')).toEqual([
      { name: 'Apple M3 Pro' },
    ]);
    expect(windowsCards('{"Name":"Microsoft Basic Render Driver","DriverVersion":null}')).toEqual([
      { name: 'Microsoft Basic Render Driver', software: true },
    ]);
    expect(windowsCards('[{"Name":"Intel(R) Arc(TM)","DriverVersion":"31.0.101"}]')).toEqual([
      { name: 'Intel(R) Arc(TM)', driver: '31.0.101' },
    ]);
  });
});
