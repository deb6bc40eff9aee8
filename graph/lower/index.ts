import type { Graph } from '../graph.ts';
import { rewrite } from '../rewrite/rewrite.ts';
import type { AnyRule } from '../rewrite/rule.ts';
import { type Lowered, narrowIntegers } from './narrow.ts';

export type { HostFeed } from './host.ts';
export type { Lowered } from './narrow.ts';
export { loweringRules } from './rules/index.ts';

/** What a device wants a graph to be like. */
export interface Lowering {
  /** Operators that it has no kernel for, or a wrong one, in other words. */
  readonly rules: readonly AnyRule[];
  /** The widest integers that it computes with. */
  readonly integers: 'int64' | 'int32';
}

/** A graph as a device can run it: the same outputs by the same names. */
export const lower = (graph: Graph, { rules, integers }: Lowering): Lowered => {
  const reworded = rules.length === 0 ? graph : rewrite(graph, rules);
  return integers === 'int32' ? narrowIntegers(reworded) : { graph: reworded, host: [] };
};
