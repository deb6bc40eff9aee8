import { bombs } from './graphs-bombs.ts';
import { chances } from './graphs-chances.ts';
import { contradictions } from './graphs-contradictions.ts';
import { crowds } from './graphs-crowds.ts';
import { oddities } from './graphs-oddities.ts';
import { wirings } from './graphs-wirings.ts';

/** A file that a stranger could send as `model.onnx`. */
export interface HostileGraph {
  readonly name: string;
  readonly bytes: () => Uint8Array;
  /** Other files in its folder. */
  readonly beside?: Readonly<Record<string, Uint8Array>>;
}

/** Every hostile graph: none may end in a stack, a crash or an answer that is no number. */
export const hostileGraphs: readonly HostileGraph[] = [
  ...crowds,
  ...bombs,
  ...chances,
  ...contradictions,
  ...wirings,
  ...oddities,
];
