import { GraphBuilder } from '../builder.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { matchesAt } from './pattern.ts';
import type { AnyRule } from './rule.ts';

type Emission = (builder: GraphBuilder) => Value;

/** Rules may feed each other; graphs that still change after this many rounds have rules that undo one another. */
const roundLimit = 100;

/** Replacements by root, chosen so that no two touch the same node. Earlier rules and larger values come first. */
const plan = (graph: Graph, rules: readonly AnyRule[]): { roots: Map<Node, Emission>; gone: Set<Node> } => {
  const roots = new Map<Node, Emission>();
  const gone = new Set<Node>();
  for (const rule of rules) {
    for (const root of graph.nodes.toReversed()) {
      if (gone.has(root)) continue;
      for (const match of matchesAt(graph, rule.pattern, root)) {
        if ([...match.nodes].some((node) => gone.has(node))) continue;
        const emission = rule.plan(match);
        if (emission === undefined) continue;
        roots.set(root, emission);
        for (const node of match.nodes) gone.add(node);
        break;
      }
    }
  }
  return { roots, gone };
};

const round = (graph: Graph, rules: readonly AnyRule[]): Graph | undefined => {
  const { roots, gone } = plan(graph, rules);
  if (roots.size === 0) return undefined;
  const builder = GraphBuilder.like(graph, { opsets: { 'com.microsoft': 1, ...graph.opsets } });
  for (const node of graph.nodes) {
    const emission = roots.get(node);
    if (emission !== undefined) replace(builder, node, emission);
    else if (!gone.has(node)) builder.add(node, (value) => graph.types.get(value));
  }
  return builder.freeze(graph.outputs);
};

/** The replacement takes over the root's name, so that consumers need no rewiring. */
const replace = (builder: GraphBuilder, root: Node, emission: Emission): void => {
  const [output] = root.outputs;
  const stands = emission(builder);
  if (output !== undefined && stands !== output) builder.op('Identity', [stands], {}, output);
};

/** Applies rules wherever they match until none does. */
export const rewrite = (graph: Graph, rules: readonly AnyRule[]): Graph => {
  let current = graph;
  for (let rounds = 0; rounds < roundLimit; rounds++) {
    const next = round(current, rules);
    if (next === undefined) return current;
    current = next;
  }
  const names = rules.map((rule) => rule.name).join(', ');
  throw new Error(`rewriting '${graph.name}' does not end: some of the rules ${names} undo each other`);
};
