import { createRequire } from 'node:module';
import { thisMachine } from '../data/cpu.ts';
import type { Report } from './report.ts';

const versionOf = (name: string): string => {
  const manifest: { readonly version: string } = createRequire(import.meta.url)(`${name}/package.json`);
  return manifest.version;
};

const machine = (): Pick<Report['environment'], 'cpu' | 'cpuFlags'> => {
  const { cpu, cpuFlags } = thisMachine();
  return { cpu, cpuFlags };
};

export const describeEnvironment = (threads: number, decantVersion: string): Report['environment'] => ({
  ...machine(),
  threads,
  node: process.versions.node,
  onnxruntime: versionOf('onnxruntime-node'),
  decant: decantVersion,
});
