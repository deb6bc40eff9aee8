import type { Feeds, HostTensor, Program } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { Graph, Node, Value } from '../../graph/graph.ts';
import { value } from '../../graph/graph.ts';
import { bytesOf, type Tensor } from '../../graph/tensor.ts';

/** What every node of a graph put out on one run, by value. */
export type Recorded = ReadonlyMap<Value, Tensor>;

/** An activation as DynamicQuantizeLinear gives it. */
export const quantizedNames = (activation: Value): readonly [Value, Value, Value] => [
  value(`${activation}/given_integers`),
  value(`${activation}/given_step`),
  value(`${activation}/given_zero`),
];

/** Inputs of nodes that quantize inside their kernel, each quantized once more for the record. */
const quantizations = (graph: Graph): readonly Node[] => {
  const inside = graph.nodes.filter(({ op }) => op === 'DynamicQuantizeMatMul');
  const activations = new Set(inside.flatMap(({ inputs }) => inputs[0] ?? []));
  return [...activations].map((activation) => ({
    op: 'DynamicQuantizeLinear',
    domain: '',
    name: `${activation}/given`,
    inputs: [activation],
    outputs: quantizedNames(activation),
    attrs: {},
  }));
};

export const recordedOf = (recorded: Recorded, name: Value): Tensor => {
  const tensor = recorded.get(name);
  if (tensor === undefined) throw new Error(`no result of '${name}' was recorded`);
  return tensor;
};

const toTensor = ({ dtype, dims, data }: HostTensor): Tensor => ({ dtype, dims, bytes: bytesOf(data.slice()) });

/** Runs an optimised graph once as it stands and keeps the result of every node. */
export const recordRun = async (graph: Graph, feeds: Feeds): Promise<Recorded> => {
  const nodes = [...graph.nodes, ...quantizations(graph)];
  const outputs = nodes.flatMap((node) => node.outputs).filter((output) => output !== '');
  const observed = { ...graph, nodes, outputs };
  const program: Program = await cpuEngine.compile(observed, { threads: 1, optimization: 'none' });
  try {
    const results = await program.run(feeds);
    return new Map(Object.entries(results).map(([name, tensor]) => [value(name), toTensor(tensor)]));
  } finally {
    await program.release();
  }
};
