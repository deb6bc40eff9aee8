import type { Encoded } from '../../engine/encoded.ts';
import { observeRanges, type Watching } from '../../engine/observe/index.ts';
import type { Value } from '../../graph/graph.ts';

/** A quarter of what float16 reaches: other texts may go further than those that were read. */
const REACH = 65_504 / 4;

/** Values that float16 may not hold, on texts like those that were read. */
export const wideValues = async (
  watching: Watching,
  examples: readonly Encoded[],
  onText: (done: number, total: number) => void,
): Promise<ReadonlyMap<Value, number>> => {
  const { graph } = watching;
  const floats = graph.nodes.flatMap(({ outputs }) =>
    outputs.filter((output) => graph.types.get(output)?.dtype === 'float32'),
  );
  const peaks = await observeRanges(watching, floats, examples, onText);
  return new Map([...peaks].filter(([, peak]) => peak > REACH));
};
