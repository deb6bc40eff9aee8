import { cpus, totalmem } from 'node:os';
import { askModule, moduleBeside } from '../../../data/process.ts';
import type { Device, Found } from '../kind.ts';
import { installed } from './packages.ts';
import type { Facts, Probed } from './probe.ts';

/** "... /device:GPU:0 with 39090 MB memory:  -> device: 0, name: NVIDIA A100, pci bus id ..." */
const gpuIn = (said: string): Device => {
  const [, megabytes, name] = /GPU:0 with (\d+) MB memory:.*? name: ([^,]+),/.exec(said) ?? [];
  return { name: name ?? 'a GPU', ...(megabytes === undefined ? {} : { memory: Number(megabytes) * 1024 ** 2 }) };
};

/** Why the package for GPUs computes on the processor, in TensorFlow's own words. */
const whyNoGpu = (said: string): string => {
  const libraries = [...said.matchAll(/Could not load dynamic library '([^']+)'/g)].map(([, name]) => name);
  if (libraries.length > 0) return `${[...new Set(libraries)].join(', ')} not found`;
  const line = said.split('\n').find((text) => /cuda|cudnn|dlopen|GPU libraries|no CUDA-capable/i.test(text));
  return line?.replace(/^.*?\] /, '').trim() ?? 'it said no reason';
};

const deviceOf = (probed: Facts, said: string): Device => {
  if (probed.device === 'GPU') return gpuIn(said);
  const processor = cpus()[0]?.model ?? 'an unknown processor';
  const note = probed.package.includes('-gpu') ? `, since ${probed.package} found no GPU: ${whyNoGpu(said)}` : '';
  return { name: `${processor}${note}`, memory: totalmem() };
};

const isProbed = (answer: unknown): answer is Probed => typeof answer === 'object' && answer !== null;

/**
 * What there is of TensorFlow.js, as a process of its own finds it: TensorFlow says more on standard error than its interface
 * tells, which GPU it took, or why it took none.
 */
export const find = async (): Promise<Found> => {
  const entry = moduleBeside(import.meta.url, './probe');
  const { answer, printed, ended } = await askModule(entry, 'what is there', { env: { TF_CPP_MIN_LOG_LEVEL: '0' } });
  if (!isProbed(answer)) {
    const [last = ''] = printed.trim().split('\n').slice(-1);
    return { missing: `${installed()?.name ?? 'TensorFlow.js'} ended the process that loaded it (${ended}): ${last}` };
  }
  return 'missing' in answer ? answer : { device: deviceOf(answer, printed), facts: answer };
};
