import type { ModelProfile } from '../../data/profile.ts';
import { milliseconds, percent } from '../figures.ts';
import { type Cause, intervalOf, matters, roundsOf, timeOf } from './cause.ts';

/** Share of the way from the narrower to the wider width at which the heads are, each the same for all nodes. */
const positionOf = ({ attention }: ModelProfile): number | undefined => {
  const odd = attention.fused.flatMap(({ width }) => {
    const vector = width > 8 ? 8 : 4;
    return width % vector === 0 || width < vector ? [] : [(width % vector) / vector];
  });
  return odd.length === 0 ? undefined : odd.reduce((sum, at) => sum + at, 0) / odd.length;
};

/** Heads whose width does not fill vectors of eight floats. */
export const oddHeads: Cause = {
  name: 'odd-heads',
  about: 'time',
  looksAt:
    'heads whose width 8 does not divide (4 below 8), timed again with the next widths on both sides; between these two times lies what the width should cost',
  advice: 'choose a width and a number of heads that make the width of a head a multiple of 8',
  find: ({ model }) => {
    const { full, 'narrow-heads': narrow, 'wide-heads': wide } = model.times;
    const at = positionOf(model);
    if (full === undefined || narrow === undefined || wide === undefined || at === undefined) return undefined;
    const widest = roundsOf(wide);
    const fair = roundsOf(narrow).map((ms, round) => ms + at * ((widest[round] ?? Number.NaN) - ms));
    const saving = intervalOf(roundsOf(full), fair);
    if (!matters(saving)) return undefined;
    const odd = model.attention.fused.filter(({ width }) => width % 8 !== 0);
    const between = [timeOf(model, 'narrow-heads'), timeOf(model, 'wide-heads')].map((ms) => milliseconds(ms ?? 0));
    return {
      finding: `heads of ${[...new Set(odd.map(({ width }) => width))].join(' and ')} do not fill vectors of 8 numbers`,
      evidence: `${milliseconds(saving.before)} ms; with the next narrower and wider heads that fill them ${between.join(' and ')} ms, so that ${milliseconds(saving.after)} ms would be fair: ${percent(saving.low)} to ${percent(saving.high)} % less`,
      share: saving.share,
    };
  },
};
