import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { type GradientStep, gradientStep, gradientsBy, graphAt } from '../../engine/gradient-step.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { reworded } from '../../ground/errors.ts';
import { rolesOf } from '../../models/bare/index.ts';
import { expectFloats } from '../../models/foreign.ts';
import { requestError } from '../diagnostic.ts';
import { defaultThreads } from '../plan/threads.ts';
import { feedsFrom } from './feeds.ts';
import { withForeign } from './foreign.ts';
import type { GradientOptions, Gradients, TensorData } from './types/graphs.ts';

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

/** Gradients of the weights of any model. */
export const gradientsOf = async (
  name: string,
  given: Readonly<Record<string, TensorData>>,
  { output, cotangent, threads = defaultThreads() }: GradientOptions,
): Promise<Gradients> =>
  await withForeign(name, {}, async (foreign) => {
    try {
      expectFloats(foreign, 'the model', 'differentiated');
      const feeds = feedsFrom(foreign.graph, given);
      const graph = graphAt(foreign.graph, feeds);
      const answer = outputOf(graph, output);
      const step = gradientStep(graph, answer, 'product');
      return await gradientsIn(
        graph,
        step,
        { ...feeds, [step.given]: cotangentFor(graph, answer, cotangent) },
        threads,
      );
    } catch (error) {
      throw reworded(error, (why) => requestError(`${name}: ${why}`));
    }
  });
