import { type Graph, indexOf, type Node, type Value } from '../graph.ts';
import { elementCount } from '../tensor.ts';

/** What a rule looks for, as a tree that grows from the root towards the inputs. */
export type Pattern =
  | { readonly kind: 'any'; readonly as: string }
  | { readonly kind: 'weight'; readonly as: string; readonly scalar: boolean }
  | { readonly kind: 'either'; readonly options: readonly Pattern[] }
  | {
      readonly kind: 'node';
      readonly op: string;
      readonly domain: string;
      readonly inputs: readonly Pattern[];
      readonly as: string | undefined;
      /** The first two inputs may come in either order. */
      readonly commutes: boolean;
    };

/** Any value, bound to a name. The same name elsewhere must be the same value. */
export const any = (as: string): Pattern => ({ kind: 'any', as });
/** A value that is a weight. */
export const weight = (as: string): Pattern => ({ kind: 'weight', as, scalar: false });
/** A weight of one element. */
export const scalar = (as: string): Pattern => ({ kind: 'weight', as, scalar: true });
/** The first pattern that leads to a match. */
export const either = (...options: readonly Pattern[]): Pattern => ({ kind: 'either', options });

const commutative: ReadonlySet<string> = new Set(['Add', 'Mul']);

/**
 * A node of one operator, written `Name` or `domain:Name`. Inputs beyond those of the pattern are left to `when`.
 * Additions and products match in either order.
 */
export const node = (op: string, inputs: readonly Pattern[], as?: string): Pattern => {
  const colon = op.indexOf(':');
  return {
    kind: 'node',
    op: op.slice(colon + 1),
    domain: op.slice(0, Math.max(colon, 0)),
    inputs,
    as,
    commutes: commutative.has(op) && inputs.length === 2,
  };
};

/** One place where a pattern fits. */
export interface Match {
  readonly graph: Graph;
  readonly root: Node;
  /** Values by the names that the pattern gives them. */
  readonly values: ReadonlyMap<string, Value>;
  /** Nodes by the names that the pattern gives them. */
  readonly named: ReadonlyMap<string, Node>;
  /** Every matched node, the root included: these go when the rule fires. */
  readonly nodes: ReadonlySet<Node>;
}

const fitting = (graph: Graph, pattern: Pattern, value: Value, found: Match): readonly Match[] => {
  switch (pattern.kind) {
    case 'any':
      return bound(pattern.as, value, found);
    case 'weight': {
      const tensor = graph.weights.get(value);
      if (tensor === undefined || (pattern.scalar && elementCount(tensor.dims) !== 1)) return [];
      return bound(pattern.as, value, found);
    }
    case 'either':
      return pattern.options.flatMap((option) => fitting(graph, option, value, found));
    case 'node': {
      const producer = indexOf(graph).producer.get(value);
      return producer === undefined || producer.outputs[0] !== value
        ? []
        : fittingNode(graph, pattern, producer, found);
    }
  }
};

const bound = (name: string, value: Value, found: Match): readonly Match[] => {
  const known = found.values.get(name);
  if (known !== undefined) return known === value ? [found] : [];
  return [{ ...found, values: new Map([...found.values, [name, value]]) }];
};

const fittingNode = (
  graph: Graph,
  pattern: Extract<Pattern, { kind: 'node' }>,
  producer: Node,
  found: Match,
): readonly Match[] => {
  if (producer.op !== pattern.op || producer.domain !== pattern.domain) return [];
  const entered: Match = {
    ...found,
    nodes: new Set([...found.nodes, producer]),
    named: pattern.as === undefined ? found.named : new Map([...found.named, [pattern.as, producer]]),
  };
  const orders = pattern.commutes ? [producer.inputs, producer.inputs.toReversed()] : [producer.inputs];
  return orders.flatMap((inputs) =>
    pattern.inputs.reduce<readonly Match[]>(
      (open, inner, position) => {
        const input = inputs[position];
        return input === undefined || input === null ? [] : open.flatMap((m) => fitting(graph, inner, input, m));
      },
      [entered],
    ),
  );
};

/** Matched nodes disappear, so nothing outside the match may read their values. */
const enclosed = (match: Match): boolean => {
  const { users } = indexOf(match.graph);
  const outputs = new Set(match.graph.outputs);
  for (const inner of match.nodes) {
    for (const output of inner.outputs) {
      if (inner === match.root && output === inner.outputs[0]) continue;
      if (outputs.has(output)) return false;
      if ((users.get(output) ?? []).some((user) => !match.nodes.has(user))) return false;
    }
  }
  return true;
};

/** Every way in which a pattern fits with its root at `root`. */
export const matchesAt = (graph: Graph, pattern: Pattern, root: Node): readonly Match[] => {
  if (pattern.kind !== 'node') throw new TypeError('a rule starts at a node');
  const start: Match = { graph, root, values: new Map(), named: new Map(), nodes: new Set() };
  return fittingNode(graph, pattern, root, start).filter(enclosed);
};
