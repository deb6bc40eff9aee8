import type { Graph, Value } from '../graph/graph.ts';
import { parameterNames, sitesOfWeight } from '../graph/sites.ts';
import { numbersOf, type Tensor, tensorOf } from '../graph/tensor.ts';

/** Patches down and across an image. */
export type Grid = readonly [down: number, across: number];

const BASE = 10_000;

/**
 * Writes a sine and a cosine of its row, and of its column, at falling frequencies into what stands for each patch (Vaswani et al.
 * 2017; Beyer et al. 2022, arXiv 2205.01580): places that are drawn at random tell a small model of few images little of what lies
 * beside what.
 */
const written = (tensor: Tensor, [down, across]: Grid): Tensor => {
  const [, rows = 0, width = 0] = tensor.dims;
  const data = Float32Array.from(numbersOf(tensor));
  const count = Math.floor(width / 4);
  const first = rows - down * across;
  for (let patch = 0; patch < down * across; patch++) {
    const place = [patch % across, Math.floor(patch / across)];
    for (let i = 0; i < count; i++) {
      const frequency = BASE ** (-i / Math.max(1, count - 1));
      place.forEach((at, axis) => {
        const start = (first + patch) * width + 2 * axis * count + i;
        data[start] = Math.sin(at * frequency);
        data[start + count] = Math.cos(at * frequency);
      });
    }
  }
  return tensorOf('float32', tensor.dims, data);
};

const isOfPatches = (graph: Graph, { dims }: Tensor, name: Value, [down, across]: Grid): boolean =>
  dims.length === 3 &&
  dims[0] === 1 &&
  (dims[1] ?? 0) >= down * across &&
  sitesOfWeight(graph, name).some(({ use }) => use.kind === 'bias');

/** A graph over patches whose learnt places begin as what says where each patch lies. */
export const withPlaces = (graph: Graph, grid: Grid): Graph => {
  const weights = new Map(graph.weights);
  for (const name of parameterNames(graph)) {
    const tensor = weights.get(name);
    if (tensor !== undefined && isOfPatches(graph, tensor, name, grid)) weights.set(name, written(tensor, grid));
  }
  return { ...graph, weights };
};
