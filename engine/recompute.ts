import { type Graph, type Node, opsetOf, readingAs, readsOf, type Value, value } from '../graph/graph.ts';

/** Operator sets from which there are two ways to write a node. */
const AXES_SINCE = 13;
const GELU_SINCE = 20;
const CONTRIB = 'com.microsoft';

/** Exact Gelu has a name of the standard and one of ONNX Runtime, and one kernel for both. */
const otherGelu = ({ opsets }: Graph, node: Node): Node | undefined => {
  if (node.domain === CONTRIB)
    return opsetOf(opsets, '') >= GELU_SINCE ? { ...node, domain: '', attrs: {} } : undefined;
  return node.domain === '' && Object.keys(node.attrs).length === 0 ? { ...node, domain: CONTRIB } : undefined;
};

/** With one scale for all of a tensor, no axis means anything. */
const otherMask = ({ opsets, weights }: Graph, node: Node): Node | undefined => {
  const [, scale] = node.inputs;
  const dims = scale === undefined || scale === null ? undefined : weights.get(scale)?.dims;
  const isPlain = dims?.length === 0 && Object.keys(node.attrs).length === 0;
  return isPlain && opsetOf(opsets, '') >= AXES_SINCE
    ? { ...node, attrs: { axis: { kind: 'int', value: 0 } } }
    : undefined;
};

/** a b = b a, to the bit. */
const otherProduct = (node: Node): Node => ({ ...node, inputs: node.inputs.toReversed() });

/**
 * The same node in other words. The runtime merges nodes that are equal (CommonSubexpressionElimination), which would keep
 * the value of the first after all; these two give equal bits and are not equal.
 */
const twinOf = (graph: Graph, node: Node): Node | undefined => {
  if (node.op === 'Gelu') return otherGelu(graph, node);
  if (node.op === 'DequantizeLinear') return otherMask(graph, node);
  return node.op === 'Mul' && node.domain === '' ? otherProduct(node) : undefined;
};

/** The nodes that a value needs. */
export const nodesBehind = (graph: Graph, result: Value): ReadonlySet<Node> => {
  const needed = new Set<Value>([result]);
  const behind = new Set<Node>();
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    behind.add(node);
    for (const read of readsOf(node)) needed.add(read);
  }
  return behind;
};

/** What a value is called that is computed once more. */
export const again = (output: Value): Value => value(`${output}/again`);

/**
 * Twins of nodes whose outputs the backward pass reads, by these outputs: where all that they read is there in the backward
 * pass anyway, fed, kept for a gradient, or a twin's.
 */
const twinsIn = (graph: Graph, forward: ReadonlySet<Node>): ReadonlyMap<Value, Node> => {
  const later = new Set(graph.nodes.filter((node) => !forward.has(node)).flatMap((node) => [...readsOf(node)]));
  const there = new Set<Value>([...graph.inputs, ...graph.weights.keys()]);
  const twins = new Map<Value, Node>();
  for (const node of graph.nodes) {
    const [output] = node.outputs;
    if (!forward.has(node) || output === undefined || !later.has(output)) continue;
    there.add(output);
    const twin = [...readsOf(node)].every((read) => there.has(read)) ? twinOf(graph, node) : undefined;
    if (twin !== undefined) twins.set(output, { ...twin, name: `${node.name}/again`, outputs: [again(output)] });
  }
  return twins;
};

/**
 * The same step with less to keep between its passes: the gradient of a Gelu keeps what it read, that of a softmax what it
 * gave, and masks are bytes that are fed, so that what comes of these is computed again where the backward pass reads it.
 *
 * Chen et al., Training Deep Nets with Sublinear Memory Cost, arXiv 1604.06174, forget whole layers and pay for products.
 */
export const recomputed = (graph: Graph, loss: Value): Graph => sparedIn(graph, nodesBehind(graph, loss));

/** The same, where the nodes of the forward pass are known. */
export const sparedIn = (graph: Graph, forward: ReadonlySet<Node>): Graph => {
  const twins = twinsIn(graph, forward);
  const names = new Map([...twins.keys()].map((output) => [output, again(output)]));
  const types = new Map(graph.types);
  for (const [output, name] of names) {
    const type = graph.types.get(output);
    if (type !== undefined) types.set(name, type);
  }
  const waiting = new Map(twins);
  /** A node of the backward pass, behind those twins that it is the first to read. */
  const late = (node: Node): readonly Node[] => {
    const due = [...readsOf(node)].flatMap((read) => {
      const twin = waiting.get(read);
      waiting.delete(read);
      return twin === undefined ? [] : late(twin);
    });
    return [...due, readingAs(node, (input) => names.get(input) ?? input)];
  };
  const nodes = graph.nodes.flatMap((node) => (forward.has(node) ? [node] : late(node)));
  return { ...graph, nodes, types };
};
