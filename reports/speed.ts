import { milliseconds, percent, speedup, whole } from './figures.ts';
import type { BaselineReport, LatencyReport, Report, StageReport } from './report.ts';

/** In front of times that other work on the machine may have made longer. */
const MARK = '~';

/** Why nothing is said of such times. */
export const MEASURED_BUSY = 'measured on a busy machine';

/** Why nothing is said of where the time goes. */
export const PROFILED_BUSY = 'profiled on a busy machine';

/** What stands where a speed-up would, were the machine not busy. */
const WITHHELD = 'busy';

export const timeText = ({ busy }: { readonly busy: boolean }, ms: number): string =>
  `${busy ? MARK : ''}${milliseconds(ms)}`;

/** What tables show of times. */
type Timed = Pick<LatencyReport, 'busy' | 'p50Ms' | 'textsPerSecond'>;

/** One text at a time, as tables show it of a model; undefined where it was not timed. */
export const baselineLatency = ({ msPerText, busy = false }: BaselineReport): Timed | undefined =>
  msPerText === undefined ? undefined : { busy, p50Ms: msPerText, textsPerSecond: 1000 / msPerText };

export const p50Text = (cell: Timed | undefined): string => (cell === undefined ? '' : timeText(cell, cell.p50Ms));

export const speedupText = (cell: LatencyReport | undefined): string => {
  if (cell?.busy === true) return WITHHELD;
  return typeof cell?.speedup === 'number' ? speedup(cell.speedup) : '';
};

export const textsPerSecond = (cell: Timed | undefined): string =>
  cell === undefined ? '' : `${cell.busy ? MARK : ''}${whole(cell.textsPerSecond)}`;

/** The first measured batch of more than one text. */
export const largerBatch = ({ latency }: Pick<StageReport, 'latency'>): LatencyReport | undefined =>
  latency.find(({ batch }) => batch > 1);

/** A figure that only undisturbed times give: null where other work had the processor. */
export const undisturbed = (cell: LatencyReport | undefined, figure: (cell: LatencyReport) => number | null) =>
  cell === undefined || cell.busy ? null : figure(cell);

/** How busy the machine was while models were timed, in one sentence without a full stop; undefined where it was not. */
export const busyNote = ({ measurement, stages }: Pick<Report, 'measurement' | 'stages'>): string | undefined => {
  const cells = stages.flatMap(({ latency, otherEngines = [] }) => [latency, ...otherEngines.map((on) => on.latency)]);
  if (!cells.flat().some(({ busy }) => busy)) return undefined;
  const loads = [measurement, ...(measurement?.otherEngines ?? [])].map((one) => one?.load ?? null);
  const load = loads.find((one) => one?.busy === true);
  const swung =
    ': models took more than twice as long in some rounds as in others, though no other work had the processor';
  const still = loads.every((one) => one === null) ? '' : swung;
  const taken = load == null ? still : `: other work had the processor ${percent(load.waited)} % of the time`;
  return `Measured on a busy machine${taken}. Times with ${MARK} may be too long and no speed-up is told from them; measure on an idle one with --remeasure`;
};
