import { type PredictRequest, predict } from '../../engine/predict.ts';

/** All scores of a model, a row an answer. */
export const predictLogits = async (request: PredictRequest): Promise<Float32Array> =>
  (await predict(request)).rows.data;
