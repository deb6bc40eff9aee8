import { GraphBuilder } from '../graph/builder.ts';
import type { Model } from './model.ts';
import { answering, answerName, answerPort } from './signature.ts';

/** What may stand behind the one number that a graph puts out, by the names that sentence-transformers have for it. */
export const activationNames = {
  none: 'torch.nn.modules.linear.Identity',
  sigmoid: 'torch.nn.modules.activation.Sigmoid',
} as const;

/** The model whose answer is what its makers do to its output: sentence-transformers put a Sigmoid behind a cross-encoder. */
export const withActivation = (model: Model): Model => {
  const { graph, info } = model;
  if (info.processor.activation === undefined) return model;
  const builder = GraphBuilder.from(graph);
  const numbers = builder.op('Sigmoid', [answerName(info.signature)]);
  const signature = answering(info.signature, { ...answerPort(info.signature), name: numbers });
  return { ...model, graph: builder.freeze([numbers]), info: { ...info, signature } };
};
