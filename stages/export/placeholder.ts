/** The title of a card until a run puts its own there. */
export const UNTITLED = 'A compressed Transformer';

/**
 * Stands where the run puts its results when they are known: an export comes before measurement, and the stored folder
 * must not depend on it.
 */
export const RESULTS_PLACEHOLDER =
  'Accuracy, latency and how they were measured are in the report of the run that made it.';
