import type { Graph } from '../../graph/graph.ts';
import { readForeign } from '../foreign.ts';

/** The graph of another maker in the form that the rest of the house reads. */
export const readBare = async (path: string): Promise<Graph> => (await readForeign(path)).graph;
