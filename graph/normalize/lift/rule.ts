import type { Attribute, Node, TensorType, Value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import type { Tensor } from '../../tensor.ts';

/** Where the newer form of a node is written. */
export interface Scope {
  type(name: Value): TensorType | undefined;
  /** A weight beside the node; `what` says what it is for. */
  weight(what: string, tensor: Tensor): Value;
  /** A node in front of this one, with one output. */
  node(op: string, inputs: readonly (Value | null)[], attrs?: AttributeInput): Value;
}

/** How an operator that was written before an operator set is written since. */
export interface Lift {
  readonly before: number;
  write(node: Node, scope: Scope): Node;
}

type Kind = Attribute['kind'];

/** An attribute of one kind; undefined where it is missing or of another. */
export const attributeOf = <K extends Kind>(
  { attrs }: Node,
  name: string,
  kind: K,
): Extract<Attribute, { readonly kind: K }> | undefined => {
  const attribute = attrs[name];
  return attribute !== undefined && isKind(attribute, kind) ? attribute : undefined;
};

const isKind = <K extends Kind>(attribute: Attribute, kind: K): attribute is Extract<Attribute, { readonly kind: K }> =>
  attribute.kind === kind;

/** The node without some attributes. */
export const withoutAttributes = (node: Node, ...names: readonly string[]): Node => ({
  ...node,
  attrs: Object.fromEntries(Object.entries(node.attrs).filter(([name]) => !names.includes(name))),
});

/** The node with inputs at the places behind its first, the last of those that are left out cut off. */
export const withInputs = (node: Node, ...more: readonly (Value | null)[]): Node => {
  const last = more.findLastIndex((name) => name !== null);
  return { ...node, inputs: [node.inputs[0] ?? null, ...more.slice(0, last + 1)] };
};
