import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findCuda, reasonOf } from '../../engine/engines/cuda/find.ts';
import { deviceOf } from '../../engine/engines/cuda/smi.ts';
import { decant, tinyCsv, tinyPipeline } from '../rig/cli.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

/** What the CUDA provider of another machine finds is not known here: the road to it is, up to the first thing that lacks. */
describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('without CUDA', () => {
  let space: Workspace;
  const path = process.env.PATH;

  beforeAll(() => {
    space = workspace();
    mkdirSync(space.path('bin'));
  });
  afterEach(() => {
    process.env.PATH = path;
  });
  afterAll(() => space[Symbol.dispose]());

  /** A driver that answers in these words. */
  const driver = (script: string): void => {
    writeFileSync(space.path('bin/nvidia-smi'), `#!/bin/sh\n${script}\n`);
    chmodSync(space.path('bin/nvidia-smi'), 0o755);
    process.env.PATH = `${space.path('bin')}${delimiter}${path}`;
  };

  it('says that there is no driver', async () => {
    process.env.PATH = space.folder;
    expect(await findCuda()).toEqual({ missing: 'no NVIDIA driver is installed (there is no nvidia-smi)' });
  });

  it('says what a driver answers that does not work', async () => {
    driver("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18");
    expect(await findCuda()).toEqual({
      missing:
        'the NVIDIA driver does not answer (nvidia-smi: Failed to initialize NVML: Driver/library version mismatch)',
    });
    driver("echo 'No devices were found'");
    expect(await findCuda()).toEqual({ missing: 'nvidia-smi names no device: No devices were found' });
  });

  it('names the libraries that are not beside ONNX Runtime, and what brings them', async () => {
    driver("echo 'NVIDIA H200, 143771, 570.86.15'");
    expect(await findCuda()).toEqual({
      missing: expect.stringMatching(
        /^libonnxruntime_providers_shared\.so and libonnxruntime_providers_cuda\.so lie not beside ONNX Runtime in .+linux.x64$/,
      ),
      install: expect.stringMatching(/^ONNXRUNTIME_NODE_INSTALL=cuda12 node .+install\.js brings them from NuGet$/),
    });
  });

  it('is refused before a run begins, where the file or the command names it', async () => {
    process.env.PATH = path;
    writeFileSync(space.path('pipeline.yaml'), `${tinyPipeline}engine: cuda\n`);
    writeFileSync(space.path('tiny.csv'), tinyCsv());
    const { code, stderr } = await decant(['run'], { cwd: space.folder });
    expect(stderr).toMatch(/pipeline\.yaml:\d+:9/);
    expect(stderr).toMatch(/the engine "cuda" is not there: /);
    expect(code).toBe(2);
  });
});

describe('a device of CUDA is told from', () => {
  it('the line of its driver', () => {
    expect(deviceOf('NVIDIA H200, 143771, 570.86.15')).toEqual({
      name: 'NVIDIA H200',
      memory: 143_771 * 2 ** 20,
      driver: '570.86.15',
    });
    expect(deviceOf('Orin, [N/A], 540.3.0')).toEqual({ name: 'Orin', driver: '540.3.0' });
    expect(deviceOf('')).toBeUndefined();
  });
});

describe('what the CUDA provider fails of is told from', () => {
  it.each([
    [
      'Failed to load library /x/libonnxruntime_providers_cuda.so with error: libcudnn.so.9: cannot open shared object file: No such file or directory',
      /needs libcudnn\.so\.9, which the system does not find/,
    ],
    [
      '[E:onnxruntime:onnxruntime-node, provider_bridge_ort.cc:2146 Create] Failed to load library /x/libonnxruntime_providers_cuda.so with error: libcuda.so.1: cannot open shared object file: No such file or directory',
      /needs libcuda\.so\.1, which the system does not find/,
    ],
    [
      'Failed to load library /x/libonnxruntime_providers_cuda.so with error: libcublasLt.so.12: cannot open shared object file: No such file or directory',
      /needs libcublasLt\.so\.12, which the system does not find/,
    ],
    [
      'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version',
      /driver is too old for this CUDA/,
    ],
    ['something else', /provider fails: OrtSessionOptionsAppendExecutionProvider_Cuda/],
  ])('what it prints: %s', (printed, expected) => {
    expect(reasonOf('OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load', printed).missing).toMatch(
      expected,
    );
  });
});
