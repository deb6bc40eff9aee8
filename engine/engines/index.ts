import { cpu } from './cpu/index.ts';
import type { EngineKind } from './kind.ts';
import { tensorflow } from './tensorflow/index.ts';

/** Every engine, the one that is everywhere first. */
export const engines: readonly EngineKind[] = [cpu, tensorflow];
