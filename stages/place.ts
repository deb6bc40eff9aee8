/**
 * Where a step of a stage stands in a plan: written down by name in the file; asked for by other stages; or on its own, once
 * for the data, once for each model, or once over all of them.
 */
export type Place = 'named' | 'asked' | 'data' | 'each-model' | 'all-models';
