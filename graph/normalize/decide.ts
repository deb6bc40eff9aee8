import { GraphBuilder } from '../builder.ts';
import { type Attribute, type Graph, type Node, type Value, value } from '../graph.ts';
import { elementCount } from '../tensor.ts';
import { definedIn, definedInside } from './bodies.ts';
import { decideSamples } from './decide-samples.ts';
import type { Pass } from './pass.ts';
import { renamedNode } from './scoped.ts';

interface Deciding {
  readonly builder: GraphBuilder;
  /** How often each name is defined, in the graph and in all bodies. */
  readonly defined: Map<Value, number>;
  /** Names of nodes, which runtimes want to be different. */
  readonly called: Set<string>;
  /** How many nodes were taken out of their bodies. */
  decided: number;
}

const isChoice = (node: Node): boolean => node.domain === '' && node.op === 'If';

const bodyOf = (attribute: Attribute | undefined): Graph | undefined =>
  attribute?.kind === 'graph' ? attribute.value : undefined;

/** What a condition is, where the graph knows that without its inputs. */
const truthOf = (builder: GraphBuilder, condition: Value): boolean | undefined => {
  const tensor = builder.weightOf(condition);
  if (tensor !== undefined) {
    const isTruth = tensor.dtype === 'bool' && elementCount(tensor.dims) === 1;
    return isTruth ? tensor.bytes.read()[0] !== 0 : undefined;
  }
  const [known, ...more] = builder.intsOf(condition) ?? [];
  return typeof known === 'number' && more.length === 0 ? known !== 0 : undefined;
};

const count = (defined: Map<Value, number>, names: readonly Value[], by: number): void => {
  for (const name of names) defined.set(name, (defined.get(name) ?? 0) + by);
};

/** The branch that is taken; undefined where only the run knows, or the node is none that fits. */
const branchOf = ({ builder }: Deciding, node: Node): Graph | undefined => {
  const [condition] = node.inputs;
  const truth = isChoice(node) && condition != null ? truthOf(builder, condition) : undefined;
  const branch = truth === undefined ? undefined : bodyOf(truth ? node.attrs.then_branch : node.attrs.else_branch);
  return branch?.outputs.length === node.outputs.length && branch.inputs.length === 0 ? branch : undefined;
};

/** Names that a branch's values have outside: results take those of the node, others keep theirs where nothing else has it. */
const outerNames = ({ defined }: Deciding, node: Node, branch: Graph): Map<Value, Value> => {
  const names = new Map<Value, Value>();
  const computed = new Set(branch.nodes.flatMap(({ outputs }) => outputs));
  branch.outputs.forEach((inner, i) => {
    const outer = node.outputs[i];
    if (outer !== undefined && outer !== '' && computed.has(inner) && !names.has(inner)) names.set(inner, outer);
  });
  const own = [...branch.weights.keys(), ...computed].filter((name) => name !== '' && !names.has(name));
  for (const name of own) {
    let outer = name;
    for (let i = 0; (defined.get(outer) ?? 0) > 0; i++) outer = value(`${node.outputs[0]}/${name}${i === 0 ? '' : i}`);
    names.set(name, outer);
    count(defined, [outer], 1);
  }
  return names;
};

/** A node of a branch under a name that no other node has. */
const called = ({ called: taken }: Deciding, node: Node, outer: Node): Node => {
  if (node.name === '') return node;
  let name = node.name;
  for (let i = 0; taken.has(name); i++) name = `${outer.outputs[0]}/${node.name}${i === 0 ? '' : i}`;
  taken.add(name);
  return { ...node, name };
};

const takeOut = (deciding: Deciding, node: Node, branch: Graph): void => {
  const { builder, defined } = deciding;
  deciding.decided++;
  count(defined, definedInside(node), -1);
  // Bodies inside the branch stay as they are for now: their names are not free.
  count(defined, branch.nodes.flatMap(definedInside), 1);
  const names = outerNames(deciding, node, branch);
  const inner = new Map([...names].map(([name, outer]) => [outer, name]));
  for (const [name, tensor] of branch.weights) builder.weight(names.get(name) ?? name, tensor);
  for (const one of branch.nodes) visit(deciding, called(deciding, renamedNode(one, names), node), inner, branch);
  branch.outputs.forEach((name, i) => {
    const [source, output] = [names.get(name) ?? name, node.outputs[i]];
    if (output !== undefined && output !== '' && source !== output) {
      builder.add({ op: 'Identity', domain: '', name: output, inputs: [source], outputs: [output], attrs: {} });
    }
  });
};

/** Adds a node, or the branch that is taken in its place. `inner` has the names under which `around` types its values. */
const visit = (deciding: Deciding, node: Node, inner: ReadonlyMap<Value, Value>, around: Graph): void => {
  const branch = branchOf(deciding, node);
  if (branch === undefined) deciding.builder.add(node, (name) => around.types.get(inner.get(name) ?? name));
  else takeOut(deciding, node, branch);
};

const run = (graph: Graph): Graph => {
  if (!graph.nodes.some(isChoice)) return graph;
  const defined = new Map<Value, number>();
  count(defined, definedIn(graph), 1);
  const called = new Set(graph.nodes.map(({ name }) => name));
  const deciding = { builder: GraphBuilder.like(graph), defined, called, decided: 0 };
  for (const node of graph.nodes) visit(deciding, node, new Map(), graph);
  return deciding.decided === 0 ? graph : deciding.builder.freeze(graph.outputs);
};

/** A choice (If) whose condition is known is the branch that is taken, with what it reads of the graph around it. */
export const decide: Pass = { name: 'decide', run, ...decideSamples };
