import type { Attributes, Graph, Node, Value } from '../graph.ts';
import { definedIn } from './bodies.ts';

type Names = ReadonlyMap<Value, Value>;

const renamedAttributes = (attrs: Attributes, names: Names): Attributes =>
  Object.fromEntries(
    Object.entries(attrs).map(([name, attribute]) => [
      name,
      attribute.kind === 'graph' ? { kind: 'graph', value: renamedBody(attribute.value, names) } : attribute,
    ]),
  );

/** What a body reads of the graph around it, under its new name. Names of its own stay, and hide those outside. */
const renamedBody = (body: Graph, names: Names): Graph => {
  const own = new Set(definedIn(body));
  const outer = new Map([...names].filter(([name]) => !own.has(name)));
  return {
    ...body,
    nodes: body.nodes.map((node) => renamedNode(node, outer)),
    outputs: body.outputs.map((name) => outer.get(name) ?? name),
  };
};

/** A node whose values have other names, the bodies inside it included. */
export const renamedNode = (node: Node, names: Names): Node => ({
  ...node,
  inputs: node.inputs.map((name) => (name === null ? null : (names.get(name) ?? name))),
  outputs: node.outputs.map((name) => names.get(name) ?? name),
  attrs: renamedAttributes(node.attrs, names),
});
