import { bindDim, type Dim } from '../dim.ts';
import type { Graph, Value } from '../graph.ts';

/**
 * An input of a lowered graph that nobody feeds but the engine, from what is fed anyway: shape arithmetic that inference
 * follows by symbols, numbers that count up, or integers of an input under their own type, where a device has them narrower.
 */
export type HostFeed = { readonly name: Value } & (
  | {
      readonly kind: 'sizes';
      readonly dtype: 'int64' | 'int32';
      readonly dims: readonly number[];
      readonly elements: readonly Dim[];
    }
  | { readonly kind: 'count'; readonly start: Dim; readonly length: Dim }
  | { readonly kind: 'copy'; readonly of: Value }
);

/** Tells which dimensions follow from the shapes of what is fed. */
export const boundBy = ({ inputs, types }: Graph): ((dim: Dim) => boolean) => {
  const symbols: Record<string, Dim> = {};
  for (const input of inputs) {
    for (const dim of types.get(input)?.shape ?? []) if (isSymbol(dim)) symbols[String(dim)] = 1;
  }
  return (dim) => typeof bindDim(dim, symbols) === 'number';
};

/** A symbol alone, which the size of a fed axis settles. */
const isSymbol = (dim: Dim): boolean => typeof dim === 'string' && /^[A-Za-z_][A-Za-z0-9_.]*$/.test(dim);
