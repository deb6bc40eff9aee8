import { buildLoss } from '../../engine/step.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { value } from '../../graph/graph.ts';
import type { Subject } from './criteria/criterion.ts';
import { floatsOf, forEachBatch } from './measure.ts';
import type { OfGradients, State, Weight } from './saliencies/saliency.ts';

/** What a saliency saw of each weight, by its name. */
export type States = ReadonlyMap<string, State>;

/** Shows a saliency the gradients of each batch: weights that the loss does not reach are never seen. */
export const lookedAt = async (
  subject: Subject,
  saliency: OfGradients,
  weights: readonly Weight[],
): Promise<States> => {
  const { asked, model, graph } = subject;
  if (asked === undefined) throw new Error('a loss needs texts');
  const { builder, resolve, total, inputs } = buildLoss(
    asked.task.answering({ ...model, graph }),
    asked.losses,
    'saliency',
  );
  const states = new Map(weights.map((weight) => [weight.name, saliency.start(weight)]));
  const found = differentiate(
    builder,
    total,
    weights.map(({ name }) => resolve(value(name))),
  );
  const seen = weights.flatMap((weight) => {
    const gradient = found.get(resolve(value(weight.name)));
    return gradient === undefined ? [] : [{ weight, gradient }];
  });
  const measuring = builder.freeze([...new Set(seen.map(({ gradient }) => gradient))], { keepInputs: false });
  await forEachBatch(subject, { graph: measuring, inputs }, (outputs) => {
    for (const { weight, gradient } of seen) {
      const state = states.get(weight.name);
      const look = { weight: weight.data, gradient: floatsOf(outputs[gradient]), plane: weight.plane };
      if (state !== undefined) saliency.after(state, look);
    }
  });
  return states;
};
