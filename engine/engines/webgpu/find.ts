import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Found } from '../kind.ts';
import { probe } from '../onnxruntime/probe.ts';
import { adapterOf } from './adapters.ts';
import { onGpu } from './provider.ts';

const loaders = ['x86_64-linux-gnu/', 'aarch64-linux-gnu/', ''].flatMap((folder) =>
  ['/usr/lib/', '/usr/lib64/', '/lib/'].map((root) => `${root}${folder}libvulkan.so.1`),
);

/** Why there is no adapter, and what would bring one. */
const missingHere = (): Found => {
  switch (process.platform) {
    case 'linux':
      return loaders.some(existsSync)
        ? {
            missing: 'no GPU with a driver for Vulkan was found',
            install: 'apt-get install mesa-vulkan-drivers   # AMD and Intel; the driver of NVIDIA brings its own',
          }
        : {
            missing: 'libvulkan.so.1, through which drivers of GPUs are found, is not installed',
            install: 'apt-get install libvulkan1',
          };
    case 'darwin':
      return { missing: 'no GPU was found that Metal can use' };
    default:
      return { missing: 'no GPU was found that Direct3D 12 can use: install the driver of its maker' };
  }
};

/** What a failed attempt comes to. */
export const missingBecause = (error: string): Found => {
  if (/No supported adapters|Failed to get a WebGPU adapter/.test(error)) return missingHere();
  if (/backend not found|not (?:available|supported|enabled)/i.test(error)) {
    return { missing: `ONNX Runtime for ${process.platform} on ${process.arch} comes without WebGPU` };
  }
  return { missing: `the adapter cannot be used: ${error.trim()}` };
};

/** The adapter that WebGPU would compute on, tried in a process of its own. */
export const findAdapter = async (): Promise<Found> => {
  const { problem, libraries, float16 } = await probe(onGpu);
  if (problem !== null) return missingBecause(problem);
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json');
  const adapter = await adapterOf(libraries);
  return { device: { ...adapter, ...(float16 ? { float16 } : {}) }, facts: { onnxruntime: String(version) } };
};
