import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { type GradientStep, gradientStep, gradientsBy, graphAt } from '../../engine/gradient-step.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { keptAs } from '../../graph/normalize/index.ts';
import { elementCount, float32Of, tensorOf } from '../../graph/tensor.ts';
import { transposed } from '../../graph/transposed.ts';
import { reworded } from '../../ground/errors.ts';
import { rolesOf } from '../../models/bare/index.ts';
import { expectFloats, type ForeignGraph } from '../../models/foreign.ts';
import { requestError } from '../diagnostic.ts';
import { defaultThreads } from '../plan/threads.ts';
import { feedsFrom } from './feeds.ts';
import { withForeign } from './foreign.ts';
import type { GradientOptions, Gradients, Inputs, TensorData } from './types/graphs.ts';

const outputOf = (graph: Graph, name: string | undefined): Value => {
  const output = name === undefined ? rolesOf(graph).answer : value(name);
  if (output !== undefined && graph.outputs.includes(output)) return output;
  throw requestError(`there is no output '${name ?? ''}'; expected one of ${graph.outputs.join(', ')}`);
};

/** One number an element of the output, or 1 for each. */
const cotangentFor = (graph: Graph, output: Value, given: GradientOptions['cotangent']): HostTensor => {
  const dims = (graph.types.get(output)?.shape ?? []).map(Number);
  const count = elementCount(dims);
  if (!dims.every(Number.isInteger)) throw requestError(`the shape of the output '${output}' is not known`);
  if (given !== undefined && given.length !== count)
    throw requestError(
      `the output '${output}' is [${dims.join(', ')}], ${count} elements; the cotangent has ${given.length}`,
    );
  return {
    dtype: 'float32',
    dims,
    data: given === undefined ? new Float32Array(count).fill(1) : Float32Array.from(given),
  };
};

/** What is given to inputs that the normal form still has: flags that choose a branch are false, and what the other reads is gone. */
const readOf = ({ given, graph }: ForeignGraph, inputs: Inputs): Inputs => {
  const isGone = (name: string): boolean => given.inputs.includes(value(name)) && !graph.inputs.includes(value(name));
  const flag = Object.entries(inputs).find(
    ([name, { dtype, data }]) => isGone(name) && dtype === 'bool' && data[0] !== 0,
  );
  if (flag !== undefined)
    throw requestError(`the input '${flag[0]}' is taken to be false: gradients are those of the graph for whole texts`);
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !isGone(name)));
};

const gradientsIn = async (
  graph: Graph,
  step: GradientStep,
  feeds: Readonly<Record<string, HostTensor>>,
  threads: number,
): Promise<Gradients> => {
  const program = await cpuEngine.compile(step.graph, { threads, optimization: 'basic' });
  try {
    return Object.fromEntries(await gradientsBy(program, step, graph, feeds));
  } finally {
    await program.release();
  }
};

const turnedOver = ({ dims, data }: Gradients[string]): Gradients[string] => {
  const turned = transposed(tensorOf('float32', dims, Float32Array.from(data)));
  return { dims: turned.dims, data: float32Of(turned) };
};

/**
 * Gradients under the names that the file has for its weights, and the way round that it has them. Of weights that are one
 * parameter the first has the gradient of all.
 */
const namedAsIn = ({ given, graph }: ForeignGraph, gradients: Gradients): Gradients => {
  if (given === graph) return gradients;
  const names = new Map<string, { readonly name: string; readonly turned: boolean }>();
  const places = [...keptAs(given, graph)];
  const isItself = ([name, { weight }]: (typeof places)[number]): boolean => name === weight;
  for (const [name, { weight, turned }] of [...places.filter(isItself), ...places])
    if (!names.has(weight)) names.set(weight, { name, turned });
  return Object.fromEntries(
    Object.entries(gradients).map(([weight, gradient]) => {
      const { name, turned } = names.get(weight) ?? { name: weight, turned: false };
      return [name, turned ? turnedOver(gradient) : gradient];
    }),
  );
};

/** Gradients of the weights of any model. */
export const gradientsOf = async (
  name: string,
  given: Readonly<Record<string, TensorData>>,
  { output, cotangent, threads = defaultThreads() }: GradientOptions,
): Promise<Gradients> =>
  await withForeign(name, {}, async (foreign) => {
    try {
      expectFloats(foreign, 'the model', 'differentiated');
      const feeds = feedsFrom(foreign.graph, readOf(foreign, given));
      const graph = graphAt(foreign.graph, feeds);
      const answer = outputOf(graph, output);
      const step = gradientStep(graph, answer, 'product');
      const fed = { ...feeds, [step.given]: cotangentFor(graph, answer, cotangent) };
      return namedAsIn(foreign, await gradientsIn(graph, step, fed, threads));
    } catch (error) {
      throw reworded(error, (why) => requestError(`${name}: ${why}`));
    }
  });
