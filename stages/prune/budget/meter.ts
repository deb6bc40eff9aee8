import { encodedBytes } from '../../../graph/codec/index.ts';
import type { Graph } from '../../../graph/graph.ts';
import { bytesIn, bytes as writtenBytes } from '../../../ground/bytes.ts';
import { macsOf } from '../../../models/inspect.ts';
import { shareOfTime } from '../../costs/predict.ts';
import type { CostTable } from '../../costs/table.ts';
import { shareOf } from '../counts.ts';
import { type BudgetOptions, timesIn } from './options.ts';

/** What a budget counts of a graph, and how much of it there may be. */
export interface Meter {
  readonly called: 'macs' | 'bytes' | 'p50';
  /** As it was asked for. */
  readonly asked: string;
  /** Of the model that comes in. */
  readonly whole: number;
  readonly limit: number;
  /** Of a graph: exact, but for time, which a table foretells. */
  count(graph: Graph): number;
  /** As people read it. */
  written(amount: number): string;
}

/** What meters need besides graphs. */
export interface Metering {
  /** Tokens of a text of the middle length. */
  readonly length: number;
  /** What blocks cost on this machine; where time is asked for. */
  readonly table?: CostTable | undefined;
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

const byCount = (
  called: 'macs' | 'bytes',
  asked: string,
  graph: Graph,
  count: (graph: Graph) => number,
  [absolute, written]: readonly [number | undefined, (amount: number) => string],
): Meter => {
  const whole = count(graph);
  const limit = absolute ?? whole * (shareOf(asked) ?? 1);
  return {
    ...{ called, asked, whole, limit, count },
    written: (amount) => `${written(amount)} (${percent(amount / whole)})`,
  };
};

/** What a budget asks of the model that comes in. */
export const meterFor = (given: BudgetOptions, graph: Graph, { length, table }: Metering): Meter => {
  if (given.macs !== undefined) {
    const absolute = typeof given.macs === 'number' ? given.macs : undefined;
    const written = (amount: number): string => `${Number((amount / 1e6).toPrecision(3))} M`;
    return byCount('macs', String(given.macs), graph, (one) => macsOf(one, length), [absolute, written]);
  }
  if (given.bytes !== undefined)
    return byCount('bytes', given.bytes, graph, encodedBytes, [bytesIn(given.bytes), writtenBytes]);
  const times = timesIn(given.p50 ?? '');
  if (table === undefined || times === undefined) throw new Error('a budget of time needs a table');
  return {
    ...{ called: 'p50', asked: given.p50 ?? '', whole: 1, limit: 1 / times },
    count: (one) => shareOfTime(table, one),
    written: (share) => `${Number((1 / share).toPrecision(3))}x`,
  };
};
