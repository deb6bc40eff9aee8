import { GraphBuilder } from '../graph/builder.ts';
import { type Graph, type Value, value } from '../graph/graph.ts';
import { modelError } from '../ground/errors.ts';
import { pool } from './head.ts';
import { initialize } from './initialize.ts';
import type { Model, ModelInfo, SentenceRule } from './model.ts';
import { answering, answerName, expectInput } from './signature.ts';

/** A vector of zeros has no direction: it is divided by this instead of by 0. */
const LEAST_NORM = 1e-12;

/** What sentence-transformers does where nothing is said. */
const defaultSentence: SentenceRule = { pooling: 'mean', normalize: false };

/** Adds the vector of each text, (batch, hidden), to its token features, as the makers of the model made it. */
const emitSentence = (builder: GraphBuilder, info: ModelInfo, features: Value): Value => {
  const { pooling, normalize } = info.processor.sentence ?? defaultSentence;
  return builder.within('sentence', () => {
    const pooled = pool(builder, features, expectInput(info.signature, 'mask'), pooling);
    if (!normalize) return pooled;
    const squares = builder.op('ReduceSum', [builder.op('Mul', [pooled, pooled]), builder.ints([1])], { keepdims: 1 });
    const norm = builder.op('Sqrt', [builder.op('Max', [squares, builder.scalar('float32', LEAST_NORM)])]);
    return builder.op('Div', [pooled, norm]); // (batch, hidden)
  });
};

/** The model whose answer is one vector a text. */
export const withSentence = (model: Model): Model => {
  const { graph, info } = model;
  const builder = GraphBuilder.from(graph);
  const vectors = emitSentence(builder, info, answerName(info.signature));
  const signature = answering(info.signature, { name: vectors, role: 'hidden', axes: ['batch', 'width'] });
  return { ...model, graph: builder.freeze([vectors]), info: { ...info, signature } };
};

/** Width of a model's token features, which is that of its sentence vectors. */
export const featureWidth = ({ graph, info }: Model): number => {
  const output = answerName(info.signature);
  const width = graph.types.get(output)?.shape?.at(-1);
  if (typeof width !== 'number') throw modelError(`the width of '${output}' is not known`);
  return width;
};

/** The graph with one of its values under another name. */
const renamed = (graph: Graph, from: Value, to: Value): Graph => {
  const name = <N extends Value | null>(given: N): N | Value => (given === from ? to : given);
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...node,
      // Nodes are called by their output, and names of nodes must differ.
      name: node.name === from ? to : node.name,
      inputs: node.inputs.map(name),
      outputs: node.outputs.map(name),
    })),
    outputs: graph.outputs.map(name),
    types: new Map([...graph.types].map(([key, type]) => [name(key), type])),
  };
};

/**
 * The model with a linear from its own width to a teacher's behind its last layer, so that its vectors live in the
 * teacher's space: a product of every token, which pooling commutes with. As it is where the widths agree, but where the model
 * will be narrower in the end (`narrows`): that linear changes nothing at first. The output keeps its name, by which clients read it.
 */
export const withProjection = (model: Model, width: number, seed: number, narrows = false): Model => {
  const own = featureWidth(model);
  const agrees = own === width;
  if (agrees && !narrows) return model;
  const output = answerName(model.info.signature);
  const inner = value('unprojected_features');
  const builder = GraphBuilder.from(renamed(model.graph, output, inner));
  const weight = (name: string, dims: readonly number[], kind: 'xavier' | 'zeros' | 'identity'): Value =>
    builder.weight(name, initialize(seed, name, dims, { kind }));
  const matrix = weight('projection.weight', [own, width], agrees ? 'identity' : 'xavier');
  const product = builder.op('MatMul', [inner, matrix]);
  const bias = weight('projection.bias', [width], 'zeros');
  const features = builder.op('Add', [product, bias], {}, output);
  const { hiddenStates, ...info } = model.info;
  const states = hiddenStates?.map((state) => (state === output ? inner : state));
  return {
    ...model,
    graph: builder.freeze([features]),
    info: { ...info, ...(states === undefined ? {} : { hiddenStates: states }) },
  };
};
