import { type Graph, indexOf, type Node, type Value } from '../graph/graph.ts';
import { sitesOf, sitesOfWeight } from '../graph/sites.ts';
import { float32Of, type Tensor, tensorOf } from '../graph/tensor.ts';
import type { Model } from './model.ts';
import { answerName } from './signature.ts';

/** What is made of a number: `factor` times it, plus `shift`. */
export interface Change {
  readonly factor: number;
  readonly shift: number;
}

/** The linear whose product, with its bias, is the answer itself. */
export interface AnswerHead {
  readonly weight: Value;
  /** Without one its answers can be scaled, but not shifted. */
  readonly bias: Value | undefined;
}

const isFloat = ({ weights }: Graph, name: Value): boolean => weights.get(name)?.dtype === 'float32';

/** What a product with its bias is called behind both: other nodes behind it would compute something else of it. */
const resultOf = (graph: Graph, outputs: readonly Value[], bias: Value | undefined): Value | undefined => {
  const [product] = outputs;
  if (product === undefined || graph.outputs.includes(product)) return product;
  const [user, ...others] = indexOf(graph).users.get(product) ?? [];
  if (user?.op !== 'Add' || others.length > 0 || bias === undefined || !user.inputs.includes(bias)) return undefined;
  return user.outputs[0];
};

/** A product that nothing scales, and nothing follows inside of the node: whole numbers alone say which way round it is. */
const isPlain = ({ domain, attrs }: Node): boolean =>
  domain === '' && Object.values(attrs).every(({ kind, value }) => kind === 'int' || (kind === 'float' && value === 1));

/** The head of a model whose answers are numbers of a unit; undefined where they come about in another way. */
export const answerHead = ({ graph, info }: Model): AnswerHead | undefined => {
  const answer = answerName(info.signature);
  const heads = sitesOf(graph).flatMap(({ weight, node, use, through, bias }) => {
    if (use.kind !== 'linear' || through.length > 0 || !isPlain(node)) return [];
    return resultOf(graph, node.outputs, bias) === answer ? [{ weight, bias }] : [];
  });
  const [head, ...others] = heads;
  const isOwn = (name: Value): boolean => isFloat(graph, name) && sitesOfWeight(graph, name).length === 1;
  if (head === undefined || others.length > 0 || !isOwn(head.weight)) return undefined;
  return head.bias === undefined || isOwn(head.bias) ? head : undefined;
};

const mapped = (tensor: Tensor | undefined, change: (x: number) => number): Tensor => {
  if (tensor === undefined) throw new Error('a head lacks its weight');
  return tensorOf('float32', tensor.dims, float32Of(tensor).map(change));
};

/** The model with other numbers as its answers, by its weights alone: factor (W x + b) + shift. */
export const withChangedAnswers = (model: Model, { weight, bias }: AnswerHead, { factor, shift }: Change): Model => {
  const weights = new Map(model.graph.weights);
  weights.set(
    weight,
    mapped(weights.get(weight), (w) => factor * w),
  );
  if (bias !== undefined)
    weights.set(
      bias,
      mapped(weights.get(bias), (b) => factor * b + shift),
    );
  return { ...model, graph: { ...model.graph, weights } };
};

/** Whether a head was never trained: of zeros it says the same about everything, in no unit. */
export const isBlank = ({ graph }: Model, { weight, bias }: AnswerHead): boolean =>
  [weight, ...(bias === undefined ? [] : [bias])].every((name) => {
    const tensor = graph.weights.get(name);
    return tensor !== undefined && float32Of(tensor).every((x) => x === 0);
  });
