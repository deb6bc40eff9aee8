import type { CompileOptions, Engine } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { type Graph, type Node, type Value, value } from '../../graph/graph.ts';
import { dtypeNumber } from '../../graph/ops/shared-structure.ts';
import { deviceEngine } from './device.ts';

const isHalf = ({ types }: Graph, name: Value | null): name is Value =>
  name !== null && types.get(name)?.dtype === 'float16';

const cast = (builder: GraphBuilder, name: Value, dtype: 'float16' | 'float32', as: Value): Value =>
  builder.op('Cast', [name], { to: dtypeNumber(dtype) }, as);

/** The same node in float32, whose result is rounded to float16. */
const addRounded = (builder: GraphBuilder, graph: Graph, node: Node): void => {
  const wide = (name: Value): Value => {
    const own = value(`${name}/read-wide`);
    return builder.hasType(own) ? own : cast(builder, name, 'float32', own);
  };
  const inputs = node.inputs.map((input) => (isHalf(graph, input) ? wide(input) : input));
  const outputs = node.outputs.map((output) => value(`${output}/wide`));
  builder.add({ ...node, name: `${node.name}/in-wide`, inputs, outputs }, (name) => {
    const output = node.outputs[outputs.indexOf(name)];
    return { dtype: 'float32', shape: output === undefined ? undefined : graph.types.get(output)?.shape };
  });
  node.outputs.forEach((output, i) => {
    cast(builder, outputs[i] ?? output, 'float16', output);
  });
};

/**
 * A graph whose results in float16 are rounded one by one. ONNX Runtime's CPU has few kernels for float16: it goes on in float32
 * from one to the next, and rounds nothing in between. Casts that are written down it leaves alone.
 */
const rounded = (graph: Graph): Graph => {
  const builder = GraphBuilder.like(graph);
  for (const node of graph.nodes) {
    if (node.op !== 'Cast' && node.outputs.some((output) => isHalf(graph, output))) addRounded(builder, graph, node);
    else builder.add(node, (output) => graph.types.get(output));
  }
  return builder.freeze(graph.outputs);
};

const rounding = (engine: Engine): Engine => ({
  ...engine,
  target: { ...engine.target, float16: { longestSum: Number.POSITIVE_INFINITY } },
  compile: (graph: Graph, options: CompileOptions) => engine.compile(rounded(graph), options),
});

/** Engines that compute in float16 as a device does that adds up in float32: one whose weights the host moves, one that does so itself. */
export const halfEngines = [
  ['by the host', rounding(cpuEngine)],
  ['on the device', rounding(deviceEngine)],
] as const satisfies readonly (readonly [string, Engine])[];
