import { engineError } from '../../ground/errors.ts';
import type { Engine } from '../engine.ts';
import { cpu } from './cpu/index.ts';
import { cuda } from './cuda/index.ts';
import type { EngineKind, Found } from './kind.ts';
import { tensorflow } from './tensorflow/index.ts';
import { webgpu } from './webgpu/index.ts';

/** Every engine, the one that is everywhere first. */
export const engines: readonly EngineKind[] = [cpu, webgpu, cuda, tensorflow];

/** The engine of whoever names none. */
export const defaultEngine: string = cpu.name;

/** Named in place of an engine: the fastest for each training. */
export const anyEngine = 'auto';

const kindOf = (name: string): EngineKind => {
  const kind = engines.find((one) => one.name === name);
  if (kind !== undefined) return kind;
  throw engineError(`no engine is called "${name}"; expected one of ${engines.map((one) => one.name).join(', ')}`);
};

const looks = new Map<string, Promise<Found>>();

/** What of an engine is there; looked for once a process. */
export const findEngine = (name: string): Promise<Found> => {
  const look = looks.get(name) ?? kindOf(name).find();
  looks.set(name, look);
  return look;
};

export const openEngine = (name: string): Promise<Engine> => kindOf(name).open();
