import type { Model } from '../models/model.ts';
import type { TrainRequest } from './train-request.ts';

/** A request as its task wants to be trained, and the way back to what the user's units say. */
export const standardized = (
  request: TrainRequest,
): { readonly standard: TrainRequest; readonly restore: (model: Model) => Model } => {
  const { restore, ...changes } = request.task.standardize?.(request) ?? { restore: (model: Model) => model };
  return { standard: { ...request, ...changes }, restore };
};
