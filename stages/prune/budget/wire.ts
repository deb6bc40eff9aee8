import type { Ref, Wiring } from '../../stage.ts';
import type { PruneOptions } from '../config.ts';

/** The table of what blocks cost on this machine, where a budget of time is divided by it. */
export const wireCosts = ({ budget, keep }: PruneOptions, wiring: Wiring): Readonly<Record<string, Ref>> => {
  if (budget?.p50 === undefined) return {};
  const widths = budget.cuts.includes('hidden') && keep?.hidden === undefined;
  const config = { as: budget.as ?? 'float32', widths, ...(keep?.hidden === undefined ? {} : { hidden: keep.hidden }) };
  return { costs: wiring.step('costs', config, { model: wiring.previous(), dataset: wiring.dataset() }) };
};
