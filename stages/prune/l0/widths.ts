import type { Gated, MaskScope } from '../../../engine/gated.ts';
import { recordOf } from '../../../graph/call.ts';
import { callsOf } from '../../../graph/cut/calls.ts';
import type { CutGroup } from '../../../graph/cut/index.ts';
import { type Graph, indexOf, type Node, readingAs, readsOf, type Value, value } from '../../../graph/graph.ts';
import type { Cut, Masked } from '../../../graph/op.ts';
import { stageError, type UserError } from '../../../ground/errors.ts';
import type { Part } from '../../../models/anatomy.ts';
import { gatesFor } from './gates.ts';
import { maskedAt, maskOver, spread } from './units.ts';

/** Values that what is fed has a part in: the others are made of weights alone. */
const fedIn = (graph: Graph): ReadonlySet<Value> => {
  const fed = new Set<Value>(graph.inputs);
  for (const node of graph.nodes) {
    if (readsOf(node).some((read) => fed.has(read))) for (const output of node.outputs) fed.add(output);
  }
  return fed;
};

/** How a node reads channels of a stream: it hands them on, counts statistics over them, or does with them for good. */
type Reading = 'carries' | 'counts' | 'ends';

interface Read {
  readonly how: Reading;
  readonly masked?: Masked;
}

const readingOf = (graph: Graph, node: Node, cut: Cut): Read => {
  const call = callsOf(graph)(node);
  const record = recordOf(call);
  const effect = record?.cut(call, cut);
  if (record === undefined || effect === undefined || 'refused' in effect) return { how: 'ends' };
  const { masked } = record;
  const isFirst = node.inputs[0] === cut.value;
  if (typeof masked === 'object' && isFirst && masked.axes(call).includes(cut.axis)) return { how: 'counts', masked };
  if (effect.cuts.some(({ value: touched }) => node.outputs.includes(touched))) return { how: 'carries' };
  if (masked !== 'never') return { how: 'ends' };
  throw stageError(
    `criterion l0: ${node.op} '${node.name}' takes its result over channels of the stream, of which gates leave some in part: cut ` +
      'hidden in a stage of its own, by another criterion',
  );
};

const outOfModel = ({ name }: Part, value: Value): UserError =>
  stageError(
    `criterion l0: ${name} is a width of what the model puts out ('${value}'), which gates cannot narrow: ` +
      'cut it in a stage of its own, by another criterion',
  );

interface Found extends Read {
  readonly cut: Cut;
  readonly node: Node;
}

/** Every node that reads the channels. */
const readingsOf = (graph: Graph, { axes }: CutGroup): readonly Found[] => {
  const { users } = indexOf(graph);
  return axes.flatMap((cut) =>
    (users.get(cut.value) ?? []).map((node) => ({ cut, node, ...readingOf(graph, node, cut) })),
  );
};

/** Of each node that does with channels for good, one value that brings them: what is fed has a part in it, or it is computed at least. */
const endsOf = (graph: Graph, found: readonly Found[]): readonly Found[] => {
  const fed = fedIn(graph);
  const rank = ({ cut: { value } }: Found): number => (fed.has(value) ? 0 : graph.weights.has(value) ? 2 : 1);
  const byNode = new Map<Node, Found>();
  for (const one of found) {
    const known = byNode.get(one.node);
    if (one.how === 'ends' && (known === undefined || rank(one) < rank(known))) byNode.set(one.node, one);
  }
  return [...byNode.values()];
};

/** A node that reads nothing but weights, with one of them masked. */
const reread = (graph: Graph, { cut, node }: Found, mask: (scope: MaskScope) => Value): readonly Gated[] =>
  node.outputs.map((output) => ({
    value: output,
    instead: (_, scope, seen) => {
      const { builder } = scope;
      const masked = builder.op('Mul', [seen(cut.value), mask(scope)]);
      const read = readingAs(node, (input) => (input === cut.value ? masked : seen(input)));
      const gated = value(`${output}/gated`);
      builder.add({ ...read, name: gated, outputs: [gated] }, () => graph.types.get(output));
      return gated;
    },
  }));

/** Statistics that count what gates leave of the channels. */
const countedAt = ({ cut, node, masked }: Found, part: Part, gates: ReturnType<typeof gatesFor>): readonly Gated[] => {
  const [output] = node.outputs;
  if (output === undefined || masked === undefined) return [];
  return [
    {
      value: output,
      instead: (_, scope, seen) => {
        const { builder } = scope;
        const mask = spread(builder, gates(scope), cut, part.count);
        const call = builder.call(readingAs(node, seen));
        if (masked.axes(call).length === 1) return masked.emit(builder, call, mask);
        throw stageError(`criterion l0: ${node.op} '${node.name}' normalises ${part.name} together with other axes`);
      },
    },
  ];
};

/** What nodes compute that take statistics or read weights alone, and what is masked behind whatever else goes on there. */
export interface WidthGates {
  readonly first: readonly Gated[];
  readonly masked: readonly Gated[];
}

/**
 * A width of the stream: whoever does with its channels for good reads them masked, and whoever takes statistics over them counts those
 * that gates leave. All between hands channels on one by one, so that gates of 0 and 1 compute what the cut model does.
 */
export const widthGates = (graph: Graph, part: Part, seed: number): WidthGates => {
  const { group } = part;
  if (group === undefined) throw new Error(`${part.name} cannot be cut`);
  const out = group.axes.find(({ value }) => graph.outputs.includes(value));
  if (out !== undefined) throw outOfModel(part, out.value);
  const gates = gatesFor(part, seed);
  const mask =
    ({ cut }: Found) =>
    (scope: MaskScope): Value =>
      maskOver(graph, cut, part.count, gates, scope);
  const found = readingsOf(graph, group);
  const ends = endsOf(graph, found);
  const computed = new Map(ends.map(({ cut }) => [`${cut.axis}:${cut.value}`, cut]));
  return {
    first: [
      ...found.flatMap((one) => (one.how === 'counts' ? countedAt(one, part, gates) : [])),
      ...ends.flatMap((one) => (graph.weights.has(one.cut.value) ? reread(graph, one, mask(one)) : [])),
    ],
    masked: [...computed.values()].flatMap((cut) =>
      graph.weights.has(cut.value) ? [] : [maskedAt(graph, cut, part.count, gates)],
    ),
  };
};
