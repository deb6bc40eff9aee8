import type { Graph } from '../../graph/graph.ts';
import type { QuantizeOptions, Storage } from '../../graph/quantize/choose.ts';
import type { Quantized } from '../../graph/quantize/index.ts';
import { bytesIn } from '../../ground/bytes.ts';
import type { QuantizationReport } from '../../ground/reported/quantization.ts';
import { harmOf } from '../knapsack.ts';
import type { RoundedProducts } from './blocks.ts';
import { dropOf } from './budget.ts';
import type { Config } from './config.ts';
import type { DropJudge } from './drops.ts';
import type { Site } from './knapsack.ts';
import { type Mixed, mixedWithin } from './mixed.ts';
import type { Harms } from './sensitivity.ts';

/** What a budget is kept with. */
export interface Budgeting {
  readonly graph: Graph;
  readonly options: QuantizeOptions;
  readonly budget: NonNullable<Config['budget']>;
  readonly harms: Harms;
  readonly drops: DropJudge | undefined;
  round(options: QuantizeOptions): Promise<RoundedProducts>;
  stored(quantized: Quantized): Graph;
  onWeight(done: number, total: number): void;
}

/** A file within a budget, and what was found on the way to it. */
export interface Budgeted extends Mixed {
  readonly asked: NonNullable<Config['budget']>;
  readonly drops: DropJudge | undefined;
}

/** The file that loses least within so many bytes, or the smallest that loses no more than so much. */
export const withinBudget = async ({
  budget,
  ...given
}: Budgeting): Promise<{ quantized: Quantized; budgeted: Budgeted }> => {
  const bytes = budget.bytes === undefined ? undefined : bytesIn(budget.bytes);
  const limits = {
    ...(bytes === undefined ? {} : { bytes }),
    ...(budget.maxDrop === undefined ? {} : { maxDrop: dropOf(budget.maxDrop) }),
  };
  const { quantized, mixed } = await mixedWithin({ ...given, budget: limits });
  return { quantized, budgeted: { ...mixed, asked: budget, drops: given.drops } };
};

const DIGITS = 2;

const short = (value: number): string => `${Number(value.toPrecision(DIGITS))}`;

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1e3)} kB`;

const words = (storage: Storage): string => (storage === 'float' ? 'floats' : `${storage.bits} bits`);

/** Why a weight is stored as it is. */
const whyOf = ({ rungs }: Site, at: number, whole: number): string => {
  const [first, own] = [rungs[0], rungs[at]];
  if (first === undefined || own === undefined) return '';
  if (at > 0) {
    const share = whole > 0 ? `, ${Math.round((100 * first.harm) / whole)} % of what all lose` : '';
    return `loses ${short(first.harm)} in ${words(first.storage)}${share}`;
  }
  const wider = rungs.find(({ harm }, rung) => rung > 0 && harm < own.harm);
  if (wider === undefined) return 'more bits would save nothing';
  return `${words(wider.storage)} would save ${short(own.harm - wider.harm)} for ${kilobytes(wider.cost)}`;
};

const storageJson = (storage: Storage, floats: string): { storage: string; block?: number } =>
  storage === 'float' ? { storage: floats } : { storage: `int${storage.bits}`, block: storage.block };

/** For the report. */
export const budgetJson = (
  { asked, sites, assigned, curve, whole, predicted, reached, bytes, drop, drops }: Budgeted,
  { depthOf, floats }: { depthOf(weight: string): string | undefined; readonly floats: string },
): NonNullable<QuantizationReport['budget']> => {
  const all = harmOf(sites, new Map());
  return {
    ...{ asked: { ...asked }, whole, predicted, reached, bytes },
    sites: sites.map((site) => {
      const at = assigned.get(site.name) ?? 0;
      const own = site.rungs[at];
      const depth = depthOf(site.name);
      return {
        weight: site.name,
        ...(depth === undefined ? {} : { depth }),
        ...storageJson(own?.storage ?? 'float', floats),
        harm: own?.harm ?? 0,
        why: whyOf(site, at, all),
        options: site.rungs.map(({ storage, cost: more, harm }) => ({
          ...storageJson(storage, floats),
          bytes: more,
          harm,
        })),
      };
    }),
    curve: curve.map(({ bytes: size, predicted: foretold, drop: found }) => ({
      ...{ bytes: size, predicted: foretold },
      ...(found === undefined ? {} : { drop: { ...found } }),
    })),
    ...(drop === undefined || drops === undefined
      ? {}
      : { drop: { metric: drops.metric.name, answers: drops.answers, of: drops.called, ...drop } }),
  };
};
