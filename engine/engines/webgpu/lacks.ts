import type { Graph } from '../../../graph/graph.ts';

/** What conformance tests try in vain on WebGPU, by their names. */
export const lacks: readonly string[] = ['a student in 8 bits'];

export const lackingIn = (_: Graph): readonly string[] => [];
