import { existsSync } from 'node:fs';
import { forkModule, moduleBeside } from '../../../data/process.ts';
import type { Found } from '../kind.ts';
import { adapterOf } from './adapters.ts';
import type { Probed } from './probe.ts';

/** Drivers answer within a second or two; one that does not is of no use. */
const SECONDS = 30;

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

/** What a process of its own made of the adapter: a driver that crashes or hangs ends that one alone. */
const attempt = (module: string, seconds: number): Promise<Probed> =>
  new Promise((resolve) => {
    const child = forkModule(module, 'pipe');
    const timer = setTimeout(() => {
      resolve({ error: `it did not answer within ${seconds} seconds` });
      child.kill('SIGKILL');
    }, seconds * 1000);
    // What drivers say about themselves is nothing that users could act on.
    child.stdout?.resume();
    child.stderr?.resume();
    child.on('message', (message) => resolve(message as Probed));
    child.on('error', ({ message }) => resolve({ error: message }));
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      resolve({ error: `its driver ended the process that tried it (${signal ?? `exit code ${code}`})` });
    });
  });

/** The adapter that WebGPU would compute on, tried in a process of its own. */
export const findAdapter = async (
  module = moduleBeside(import.meta.url, 'probe'),
  seconds = SECONDS,
): Promise<Found> => {
  const result = await attempt(module, seconds);
  return 'error' in result ? missingBecause(result.error) : { device: await adapterOf(result.libraries) };
};
