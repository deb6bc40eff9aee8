import { encodeGraph } from '../../../graph/codec/index.ts';
import { type Graph, type Node, opsetOf, value } from '../../../graph/graph.ts';
import { findOp } from '../../../graph/ops/index.ts';
import { messageOf, modelError } from '../../../ground/errors.ts';

/** Whoever has more of them than this is told of no more. */
const MOST = 8;

/** What the runtime says of an operator that it has never heard of, in its own domains and in others, and of none at all. */
const unheard = /No Op registered for|is not a registered function\/op|'op_type' of 'node' is required/;

const standard = 20;

/** The operator alone, without anything that it should read: enough to be told whether it is known. */
const alone = ({ op, domain }: Node, opset: number): Graph => ({
  name: 'asked',
  nodes: [{ op, domain, name: '', inputs: [], outputs: [value('y')], attrs: {} }],
  inputs: [],
  outputs: [value('y')],
  weights: new Map(),
  types: new Map([[value('y'), { dtype: 'float32', shape: undefined }]]),
  opsets: { '': standard, [domain]: opset },
});

const isRegistered = async (node: Node, opset: number): Promise<boolean> => {
  // The library takes a while to load, and most files hold nothing that is to be asked for.
  const { InferenceSession } = await import('./native.ts');
  try {
    const session = await InferenceSession.create(encodeGraph(alone(node, opset)), { logSeverityLevel: 4 });
    await session.release();
    return true;
  } catch (error) {
    return !unheard.test(messageOf(error));
  }
};

/** The first node of each operator without a record, those inside of bodies too. */
const withoutRecord = (graph: Graph, found = new Map<string, Node>()): ReadonlyMap<string, Node> => {
  for (const node of graph.nodes) {
    const { domain, op, attrs } = node;
    if (findOp(domain, op, opsetOf(graph.opsets, domain)) === undefined && !found.has(`${domain}:${op}`))
      found.set(`${domain}:${op}`, node);
    for (const attr of Object.values(attrs)) if (attr.kind === 'graph') withoutRecord(attr.value, found);
  }
  return found;
};

/**
 * The first node of each operator that neither decant nor ONNX Runtime knows, so that nothing here can run the graph. The
 * runtime itself is asked: it has operators of its own domains by the hundred.
 */
export const unregistered = async (graph: Graph): Promise<readonly Node[]> => {
  const unknown: Node[] = [];
  for (const node of withoutRecord(graph).values()) {
    if (unknown.length === MOST) break;
    if (!(await isRegistered(node, opsetOf(graph.opsets, node.domain)))) unknown.push(node);
  }
  return unknown;
};

const called = ({ domain, op }: Node): string => (domain === '' ? `'${op}'` : `'${op}' of the domain '${domain}'`);

/** What is wrong with a graph that has such nodes; undefined where it has none. */
export const strangersText = ([first, ...others]: readonly Node[]): string | undefined => {
  if (first === undefined) return undefined;
  const more = others.length === 0 ? '' : `, and ${others.map(called).join(', ')} are operators like it`;
  return (
    `node '${first.name || (first.outputs[0] ?? '')}' is an operator that neither decant nor ONNX Runtime knows, ${called(first)}${more}: ` +
    'nothing here can run the model; export it with operators of ONNX, or as functions of the file'
  );
};

/** Refuses a graph with an operator that nobody knows. */
export const expectRegistered = async (graph: Graph): Promise<void> => {
  const text = strangersText(await unregistered(graph));
  if (text !== undefined) throw modelError(text);
};
