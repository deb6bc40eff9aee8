import { readGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { foldConstants } from '../../graph/rewrite/fold.ts';

/** The graph of another maker in the form that the rest of the house reads. */
export const readBare = async (path: string): Promise<Graph> => foldConstants(await readGraph(path));
