import type { Graph } from '../graph/graph.ts';
import { modelError } from '../ground/errors.ts';

/** Refuses a graph that is fed nothing, or that has a matrix without rows or columns: it answers nothing, whatever is asked. */
export const expectFilled = ({ inputs, types, weights }: Graph): void => {
  const input = inputs.find((name) => types.get(name)?.shape?.includes(0));
  if (input !== undefined)
    throw modelError(`input '${input}' is declared as [${types.get(input)?.shape?.join(', ')}]: it holds nothing`);
  for (const [name, { dims }] of weights)
    if (dims.length > 1 && dims.includes(0))
      throw modelError(`weight '${name}' is [${dims.join(', ')}]: it holds nothing`);
};
