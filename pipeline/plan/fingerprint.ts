import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { basename } from 'node:path';
import { z } from 'zod';
import { defaultEngine, engines, findEngine } from '../../engine/engines/index.ts';
import type { Device } from '../../engine/engines/kind.ts';
import type { Digest } from '../../ground/artifact.ts';
import { engineError } from '../../ground/errors.ts';
import type { Json } from '../../ground/json.ts';
import type { AnyStage } from '../../stages/stage.ts';
import { hashJson, hashPath } from '../store/hash.ts';
import type { Fingerprint } from '../store/record.ts';
import type { ReadyStep } from './plan.ts';

const packageJson = z.object({ version: z.string() });

/** Version of ONNX Runtime without loading it: planning and validation must be quick. */
const runtimeVersion = (): string => {
  const require = createRequire(import.meta.url);
  return packageJson.parse(require('onnxruntime-node/package.json')).version;
};

const namedDevice = ({ name, driver }: Device): Readonly<Record<string, Json>> => ({
  device: name,
  ...(driver === undefined ? {} : { driver }),
});

/** What every engine that is there would run on, besides the CPU. */
const devices = async (): Promise<Fingerprint['environment']> => {
  const looks = engines.map(async ({ name }) => {
    const found = name === defaultEngine ? undefined : await findEngine(name);
    return found === undefined || 'missing' in found ? [] : [[name, { ...found.facts, ...namedDevice(found.device) }]];
  });
  return Object.fromEntries((await Promise.all(looks)).flat());
};

/** The device that an engine runs on, and the versions of what computes there. */
const deviceOf = async (engine: string, threads: number): Promise<Fingerprint['environment']> => {
  const found = await findEngine(engine);
  if ('missing' in found) throw engineError(found.missing);
  return { provider: engine, ...found.facts, ...namedDevice(found.device), threads };
};

/** Devices that a step's options name beside the CPU, which is a part of every machine. */
const devicesOf = async (names: readonly string[], threads: number): Promise<Fingerprint['environment']> => {
  const others = names.filter((name) => name !== defaultEngine);
  if (others.length === 0) return {};
  const there = others.map(async (name) => [name, await deviceOf(name, threads)] as const);
  return { engines: Object.fromEntries(await Promise.all(there)) };
};

/** As much of the machine as a step's result depends on. */
const environmentOf = async (
  stage: AnyStage,
  engine: string | undefined,
  threads: number,
): Promise<Fingerprint['environment']> => {
  if (stage.environment === 'none') return {};
  if (engine !== undefined) return await deviceOf(engine, threads);
  const runtime = { onnxruntime: runtimeVersion(), provider: 'cpu', threads };
  if (stage.environment === undefined || stage.environment === 'runtime') return runtime;
  const machine = { ...runtime, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
  return stage.environment === 'machine' ? machine : { ...machine, ...(await devices()) };
};

const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? {}));

/** Digests of outside files, hashed once a run. */
export class Sources {
  private readonly digests = new Map<string, Promise<Digest>>();

  async of(paths: readonly string[]): Promise<Fingerprint['sources']> {
    const entries: (readonly [string, Digest])[] = [];
    // One after another: of some thousand files no system opens all at once.
    for (const [i, path] of paths.entries()) {
      const digest = this.digests.get(path) ?? hashPath(path);
      this.digests.set(path, digest);
      // Named by place and last part, so that a moved folder changes no key.
      entries.push([`${i} ${basename(path)}`, await digest]);
    }
    return Object.fromEntries(entries);
  }
}

export interface FingerprintOptions {
  readonly seed: number;
  readonly threads: number;
  readonly base: string;
  readonly sources: Sources;
}

/** Everything that decides what a step makes. `inputs` are the digests of what the step is given. */
export const fingerprintOf = async (
  step: ReadyStep,
  stage: AnyStage,
  inputs: Readonly<Record<string, Digest>>,
  { seed, threads, base, sources }: FingerprintOptions,
): Promise<Fingerprint> => ({
  uses: step.uses,
  version: stage.version,
  config: asJson(stage.config.parse(step.config)),
  ...(stage.draws(step.config) ? { seed } : {}),
  inputs,
  sources: await sources.of((await stage.sources?.(step.config, base)) ?? []),
  environment: {
    ...(await environmentOf(stage, step.engine, threads)),
    ...(await devicesOf(stage.engines?.(step.config) ?? [], threads)),
  },
});

export const keyOf = (fingerprint: Fingerprint): Digest => hashJson(fingerprint);
