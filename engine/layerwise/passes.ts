import { weightBytes } from '../../graph/codec/index.ts';
import type { Graph, Value } from '../../graph/graph.ts';

/** What is held where a model weighs less than a process does. */
const LEAST = 32e6;

/** Bytes that are held of what a model does on texts: half of what it weighs, so that much of it is never there twice. */
export const heldFor = (graph: Graph): number => Math.max(LEAST, weightBytes(graph) / 2);

/**
 * Items in passes over the texts, by what they read: those of one input together, and no more in a pass than may be held at once,
 * or one input alone.
 */
export const passesOf = <T extends { readonly input: Value }>(
  items: readonly T[],
  bytesOf: (item: T) => number,
  most: number,
): readonly (readonly T[])[] => {
  const passes: T[][] = [];
  let [held, last]: [number, Value | undefined] = [0, undefined];
  for (const item of items.toSorted((a, b) => (a.input < b.input ? -1 : a.input > b.input ? 1 : 0))) {
    const isKnown = item.input === last;
    const open = passes.at(-1);
    last = item.input;
    const bytes = isKnown ? 0 : bytesOf(item);
    if (open === undefined || held + bytes > most) {
      passes.push([item]);
      held = bytesOf(item);
    } else {
      open.push(item);
      held += bytes;
    }
  }
  return passes;
};
