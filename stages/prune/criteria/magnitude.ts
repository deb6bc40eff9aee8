import type { Graph } from '../../../graph/graph.ts';
import { float32Of, type Tensor } from '../../../graph/tensor.ts';
import type { Layer, Part } from '../../../models/anatomy.ts';
import type { Criterion } from './criterion.ts';

/** Adds the squares of each index of an axis to the unit that owns it. */
const addSquares = (sums: Float64Array, tensor: Tensor, axis: number, owner: Int32Array): void => {
  const stride = tensor.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const data = float32Of(tensor);
  for (let i = 0; i < data.length; i++) {
    const unit = owner[Math.floor(i / stride) % owner.length] ?? -1;
    const w = data[i] as number;
    if (unit >= 0) sums[unit] = (sums[unit] as number) + w * w;
  }
};

/** The norm of what each unit of a part is coupled with. */
export const partMagnitudes = (graph: Graph, { group, count }: Pick<Part, 'group' | 'count'>): Float64Array => {
  const sums = new Float64Array(count);
  for (const { value, axis, owner } of group?.weights ?? []) {
    const tensor = graph.weights.get(value);
    if (tensor?.dtype === 'float32' && tensor.dims.length > 1) addSquares(sums, tensor, axis, owner);
  }
  return sums.map(Math.sqrt);
};

/** The norm of all matrices of a layer. */
export const layerMagnitude = (graph: Graph, layer: Layer): number => {
  const nodes = layer.blocks.flatMap((block) => [...block.nodes]);
  const names = new Set(nodes.flatMap((node) => node.inputs));
  let sum = 0;
  for (const name of names) {
    const tensor = name === null ? undefined : graph.weights.get(name);
    if (tensor?.dtype !== 'float32' || tensor.dims.length < 2) continue;
    for (const w of float32Of(tensor)) sum += w * w;
  }
  return Math.sqrt(sum);
};

/**
 * Size of what would go: I(u) = || all matrix slices coupled with u ||_2, the norm over the whole group (Li et al. 2017,
 * 1608.08710; groups as in Fang et al. 2023, 2301.12900). Needs no data; a layer counts with all its matrices.
 */
export const magnitude: Criterion = {
  name: 'magnitude',
  summary: 'norm of the coupled weights',
  needsExamples: false,
  scoreParts: async (subject, parts) => new Map(parts.map((part) => [part, partMagnitudes(subject.graph, part)])),
  scoreLayers: async (subject, layers) => Float64Array.from(layers, (layer) => layerMagnitude(subject.graph, layer)),
};
