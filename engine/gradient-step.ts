import { concreteView } from '../graph/concrete.ts';
import { differentiate } from '../graph/differentiate.ts';
import { type Graph, type Value, value } from '../graph/graph.ts';
import { parameterNames } from '../graph/sites.ts';
import { absorb, bare } from './absorb.ts';
import type { Feeds, Program } from './engine.ts';
import { weightFeeds } from './weight-feeds.ts';

/** The number that is made of an output y and what is given for each of its elements: the sum of y c, or the mean of (y - t)^2. */
type LossKind = 'product' | 'squares';

/** A graph of any maker with a loss over one output and the gradients of its parameters, which are fed. */
export interface GradientStep {
  readonly graph: Graph;
  readonly loss: Value;
  /** The input that has a number for each element of the output. */
  readonly given: Value;
  readonly parameters: readonly { readonly name: Value; readonly dims: readonly number[]; readonly gradient: Value }[];
}

/** Sizes that inputs of these shapes give to the symbols of a graph. */
const sizesIn = (graph: Graph, feeds: Feeds): Readonly<Record<string, number>> => {
  const sizes: Record<string, number> = {};
  for (const input of graph.inputs) {
    graph.types.get(input)?.shape?.forEach((dim, axis) => {
      const size = feeds[input]?.dims[axis];
      if (typeof dim !== 'number' && size !== undefined) sizes[dim] ??= size;
    });
  }
  return sizes;
};

/** The graph at the shapes of what it is fed: every size that can be known is a number. */
export const graphAt = (graph: Graph, feeds: Feeds): Graph => {
  const types = new Map(graph.types);
  for (const input of graph.inputs) {
    const [type, fed] = [types.get(input), feeds[input]];
    if (type !== undefined && fed !== undefined) types.set(input, { ...type, shape: fed.dims });
  }
  const { sizes: _, ...view } = concreteView({ ...graph, types }, sizesIn(graph, feeds));
  return view;
};

const floatParameters = (graph: Graph): ReadonlySet<Value> =>
  new Set(parameterNames(graph).filter((name) => graph.weights.get(name)?.dtype === 'float32'));

const own = (graph: Graph): ReadonlyMap<Value, Value> => new Map(graph.inputs.map((input) => [input, input]));

/** The graph with its parameters as inputs: one program computes it for any of them. */
export const fedGraph = (graph: Graph, output: Value): Graph => {
  const builder = bare(graph, 'fed');
  const { resolve } = absorb(builder, graph, { inputs: own(graph), fed: floatParameters(graph), dropout: 'off' });
  return builder.freeze([resolve(output)], { keepInputs: false });
};

const GIVEN = 'decant/given';

/** The gradients of a loss over an output. */
export const gradientStep = (graph: Graph, output: Value, kind: LossKind): GradientStep => {
  const builder = bare(graph, 'gradients');
  const fed = floatParameters(graph);
  const { resolve } = absorb(builder, graph, { inputs: own(graph), fed, dropout: 'off' });
  const y = resolve(output);
  const given = builder.input(GIVEN, 'float32', builder.type(y).shape);
  const error = kind === 'product' ? builder.op('Mul', [y, given]) : builder.op('Sub', [y, given]);
  const loss =
    kind === 'product'
      ? builder.op('ReduceSum', [error], { keepdims: 0 })
      : builder.op('ReduceMean', [builder.op('Mul', [error, error])], { keepdims: 0 });
  const found = differentiate(builder, loss, [...fed]);
  const parameters = [...found].map(([name, gradient]) => ({
    name,
    dims: graph.weights.get(name)?.dims ?? [],
    gradient: builder.op('Identity', [gradient], {}, value(`decant/gradient/${name}`)),
  }));
  const step = builder.freeze([loss, ...parameters.map(({ gradient }) => gradient)], { keepInputs: false });
  return { graph: step, loss, given, parameters };
};

/** What a program asks for of what there is. */
export const askedFor = (program: Graph, feeds: Feeds): Feeds =>
  Object.fromEntries(program.inputs.flatMap((name) => (feeds[name] === undefined ? [] : [[name, feeds[name]]])));

/** dL/dW by the name of the weight: a step of `graph` is run once, where `program` is the step compiled. */
export const gradientsBy = async (
  program: Program,
  step: GradientStep,
  graph: Graph,
  feeds: Feeds,
): Promise<ReadonlyMap<Value, { readonly dims: readonly number[]; readonly data: Float32Array }>> => {
  const found = await program.run(askedFor(step.graph, { ...feeds, ...weightFeeds(step.graph, { graph }, []) }));
  return new Map(
    step.parameters.map(({ name, dims, gradient }) => {
      const data = found[gradient]?.data;
      if (!(data instanceof Float32Array)) throw new Error(`the gradient of '${name}' was not computed`);
      return [name, { dims, data }];
    }),
  );
};
