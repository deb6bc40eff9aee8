import type { Graph } from '../../../graph/graph.ts';

export const lackingIn = (_: Graph): readonly string[] => [];
