import { cellsOf } from '../../cells.ts';
import type { LatencyReport, StageReport } from '../../report.ts';
import { type Chart, colours } from '../picture.ts';

/** A stage as it was timed on one engine. */
type Measured = Pick<StageReport, 'id' | 'latency'>;

/** Fewer lengths make no line. */
const LEAST = 3;

/** Batches that were timed at several lengths. */
const batchesOf = (cells: readonly LatencyReport[]): readonly number[] => {
  const lengths = (batch: number): number =>
    new Set(cells.filter((cell) => cell.batch === batch).map((cell) => cell.length)).size;
  return [...new Set(cells.map(({ batch }) => batch))].filter((batch) => lengths(batch) >= LEAST);
};

const axis = (title: string) => ({
  type: 'quantitative' as const,
  scale: { type: 'log' as const, nice: false, padding: 8 },
  axis: { title: `${title}, logarithmic`, gridOpacity: 0.5, tickCount: 5, labelOverlap: true, format: '~g' },
});

/**
 * Median latency against length, both logarithmic: time that grows with the length is a line that rises by one, with its
 * square by two. Where a batch was timed at three lengths or more.
 */
export const lengthCharts = (measured: readonly Measured[], names: readonly string[]): readonly Chart[] =>
  batchesOf(cellsOf(measured.map(({ latency }) => latency))).map((batch) => ({
    title: `${batch === 1 ? 'one text' : `${batch} texts`} by length`,
    height: 220,
    spec: {
      data: {
        values: measured.flatMap(({ id, latency }) =>
          latency
            .filter((cell) => cell.batch === batch)
            .map(({ length, p50Ms }) => ({ stage: id, length, p50: p50Ms })),
        ),
      },
      mark: { type: 'line', point: true, strokeWidth: 2 },
      encoding: {
        x: { field: 'length', ...axis('tokens') },
        y: { field: 'p50', ...axis('median ms') },
        color: { field: 'stage', type: 'nominal', scale: colours(names) },
      },
    },
  }));
