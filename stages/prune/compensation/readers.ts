import { type Graph, indexOf, type Value } from '../../../graph/graph.ts';
import { productAt } from '../../../graph/sites.ts';
import type { Part } from '../../../models/anatomy.ts';
import { type Gate, gatesOf } from '../gates.ts';

/** A matrix product that reads a gate, y = a W + b. */
export interface Reader {
  readonly part: Part;
  readonly gate: Gate;
  readonly matrix: Value;
  /** Whether the matrix is kept as (out, in). */
  readonly turned: boolean;
  readonly bias: Value | undefined;
}

/** Units that stay, by the part that they belong to. */
export type Chosen = ReadonlyMap<Part, readonly number[]>;

/** Changes weights of a graph some of whose units are about to go, so that the rest feels less of it. */
export type Compensate = (graph: Graph, chosen: Chosen) => Graph;

/** Products that read what the units of a part put out. */
export const readersOf = (graph: Graph, part: Part): readonly Reader[] => {
  if (part.group === undefined) return [];
  return gatesOf(graph, part.group).flatMap((gate) => {
    const isLast = gate.axis === (graph.types.get(gate.value)?.shape?.length ?? 0) - 1;
    return (indexOf(graph).users.get(gate.value) ?? []).flatMap((node): readonly Reader[] => {
      const product = productAt(graph, node);
      if (!isLast || node.inputs[0] !== gate.value || product === undefined) return [];
      const turned = product.use.inner > product.use.outer;
      return [{ part, gate, matrix: product.weight, turned, bias: product.bias }];
    });
  });
};

/** 1 where an index of a gate goes. */
export const goneAt = ({ owner }: Gate, kept: readonly number[]): Uint8Array => {
  const stays = new Set(kept);
  return Uint8Array.from(owner, (unit) => Number(unit >= 0 && !stays.has(unit)));
};
