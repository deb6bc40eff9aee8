import { GraphBuilder } from '../graph/builder.ts';
import { type Value, value } from '../graph/graph.ts';
import { firstToken, meanPool } from './head.ts';
import { initialize } from './initialize.ts';
import type { Model, ModelInfo } from './model.ts';

/** A vector of zeros has no direction: it is divided by this instead of by 0. */
const LEAST_NORM = 1e-12;

/** What sentence-transformers does where nothing is said. */
const defaultSentence: NonNullable<ModelInfo['sentence']> = { pooling: 'mean', normalize: false };

/** Adds the vector of each text, (batch, hidden), to its token features, as the makers of the model made it. */
export const emitSentence = (builder: GraphBuilder, info: ModelInfo, features: Value): Value => {
  const { pooling, normalize } = info.sentence ?? defaultSentence;
  return builder.within('sentence', () => {
    const pooled =
      pooling === 'mean' ? meanPool(builder, features, value(info.inputs.mask)) : firstToken(builder, features);
    if (!normalize) return pooled;
    const squares = builder.op('ReduceSum', [builder.op('Mul', [pooled, pooled]), builder.ints([1])], { keepdims: 1 });
    const norm = builder.op('Sqrt', [builder.op('Max', [squares, builder.scalar('float32', LEAST_NORM)])]);
    return builder.op('Div', [pooled, norm]); // (batch, hidden)
  });
};

/** Width of a model's token features, which is that of its sentence vectors. */
export const featureWidth = ({ graph, info }: Model): number => {
  const width = graph.types.get(value(info.output))?.shape?.at(-1);
  if (typeof width !== 'number') throw new Error(`the width of '${info.output}' is not known`);
  return width;
};

/**
 * The model with a linear from its own width to a teacher's behind its last layer, so that its vectors live in the
 * teacher's space: a product of every token, which pooling commutes with. As it is where the widths agree.
 */
export const withProjection = (model: Model, width: number, seed: number): Model => {
  const own = featureWidth(model);
  if (own === width) return model;
  const builder = GraphBuilder.from(model.graph);
  const weight = (name: string, dims: readonly number[], kind: 'xavier' | 'zeros'): Value =>
    builder.weight(name, initialize(seed, name, dims, { kind }));
  const features = builder.within('projection', () => {
    const product = builder.op('MatMul', [
      value(model.info.output),
      weight('projection.weight', [own, width], 'xavier'),
    ]);
    return builder.op('Add', [product, weight('projection.bias', [width], 'zeros')], {}, 'projected_features');
  });
  return { ...model, graph: builder.freeze([features]), info: { ...model.info, output: features } };
};
