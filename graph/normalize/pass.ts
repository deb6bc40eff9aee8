import type { Graph } from '../graph.ts';

export interface PassSample {
  readonly name: string;
  graph(): Graph;
}

/** One step towards the form that the rest of the house reads. Outputs stay equal; input and output names stay. */
export interface Pass {
  readonly name: string;
  run(graph: Graph): Graph;
  /** Graphs that it must change, and ones that it must leave alone (the same object comes back). */
  readonly changes: readonly PassSample[];
  readonly leaves: readonly PassSample[];
}
