import type { Graph, Value } from '../graph.ts';
import { type Choices, isBlocks } from './choose.ts';
import { type Grid, type Layout, type Rounded, type Rows, rowsOf } from './grid.ts';
import { searched } from './nearest.ts';
import { type Packed, packedOf } from './pack.ts';
import { quantizeError } from './weights.ts';

/** Weights in blocks, by name. */
export type Packings = ReadonlyMap<Value, Packed>;

/** The numbers of a weight as rows; refuses those that are none. */
export const finiteRows = (graph: Graph, name: Value, layout: Layout): Rows => {
  const tensor = graph.weights.get(name);
  if (tensor === undefined) throw new Error(`'${name}' is no weight`);
  const rows = rowsOf(tensor, layout);
  const bad = rows.data.findIndex((x) => !Number.isFinite(x));
  if (bad < 0) return rows;
  throw quantizeError(
    `the weight '${name}' holds NaN or infinity in ${layout === 'turned' ? 'column' : 'row'} ${Math.floor(bad / rows.width)}; it cannot be quantized`,
  );
};

/** Rounds rows by their own numbers. */
export type RoundRows = (rows: Rows, grid: Grid) => Rounded;

/** Every weight that is to stand in blocks and was not rounded before, rounded by its own numbers. */
export const blockwise = (graph: Graph, choices: Choices, before: Packings, round: RoundRows = searched): Packings => {
  const packings = new Map<Value, Packed>();
  for (const [name, choice] of choices) {
    if (!isBlocks(choice) || before.has(name)) continue;
    const rows = finiteRows(graph, name, choice.layout);
    packings.set(name, packedOf(rows, choice.grid, round(rows, choice.grid), choice.use));
  }
  return packings;
};
