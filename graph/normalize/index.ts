import type { Graph } from '../graph.ts';
import { uniqueNames } from '../node-names.ts';
import { decide } from './decide.ts';
import { fold } from './fold.ts';
import { inferenceMode } from './inference-mode.ts';
import { lift } from './lift/index.ts';
import { norms } from './norms.ts';
import type { Pass } from './pass.ts';
import { sequences } from './sequences.ts';
import { shapes } from './shapes.ts';
import { soundly } from './sound.ts';
import { split } from './split.ts';
import { storedBytes } from './stored-bytes.ts';
import { tie } from './tie.ts';
import { unfuse } from './unfuse/index.ts';
import { widen } from './widen.ts';

/** The steps from a graph of another maker to the form that decant reads, in order. */
export const passes: readonly Pass[] = [
  fold,
  inferenceMode,
  widen,
  storedBytes,
  decide,
  sequences,
  lift,
  unfuse,
  norms,
  tie,
  split,
  shapes,
  fold,
];

/** Most graphs are done after one round, and the second finds nothing; each is right whatever a further one would find. */
const ROUNDS = 8;

/** A graph of another maker in the form that decant reads: equal outputs under equal names. Idempotent. */
export const normalized = (graph: Graph): Graph => {
  let current = graph;
  for (let round = 0; round < ROUNDS; round++) {
    const next = passes.reduce((step, { name, run }) => soundly(step, name, () => run(step)), current);
    if (next === current) break;
    current = next;
  }
  return uniqueNames(current);
};

export { bindInput, choosingInputs } from './bind-input.ts';
export { keptAs } from './kept-as.ts';
export { storedAsHalves } from './stored-halves.ts';
export { wasHalved } from './widen.ts';
