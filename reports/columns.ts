import type { Report, StageReport } from './report.ts';

/** How figures are written for people, the same in the terminal and in Markdown. */
const percent = (rate: number): string => `${(100 * rate).toFixed(1)}`;

const bytes = (size: number): string => {
  if (size < 1000) return `${size} B`;
  if (size < 1e6) return `${(size / 1e3).toFixed(size < 1e4 ? 1 : 0)} kB`;
  return `${(size / 1e6).toFixed(size < 1e8 ? 2 : 0)} MB`;
};

const count = (n: number): string => {
  if (n < 1e4) return `${n}`;
  if (n < 1e6) return `${(n / 1e3).toFixed(0)} k`;
  return n < 1e9 ? `${(n / 1e6).toFixed(2)} M` : `${(n / 1e9).toFixed(2)} G`;
};

export const milliseconds = (ms: number): string => (ms < 1 ? ms.toFixed(3) : ms < 100 ? ms.toFixed(2) : ms.toFixed(0));

export const seconds = (s: number): string => (s < 10 ? s.toFixed(1) : s.toFixed(0));

const signed = (points: number): string => `${points < 0 ? '' : '+'}${points.toFixed(1)}`;

const points = ({ difference }: StageReport): string =>
  difference === null
    ? ''
    : `${signed(100 * difference.accuracy)} [${signed(100 * difference.low)}, ${signed(100 * difference.high)}]`;

export interface Column {
  readonly title: string;
  cell(stage: StageReport, report: Report): string;
}

const quality: readonly Column[] = [
  { title: 'accuracy %', cell: ({ quality }) => (quality === null ? '' : percent(quality.accuracy)) },
  {
    title: 'points [95 %]',
    cell: (stage, { reference }) => (stage.id === reference ? 'reference' : points(stage)),
  },
  { title: 'agrees %', cell: ({ agreement }) => (agreement === null ? '' : percent(agreement.top1)) },
];

const structure: readonly Column[] = [
  { title: 'parameters', cell: ({ model }) => (model === null ? '' : count(model.parameters)) },
  { title: 'non-zero', cell: ({ model }) => (model === null ? '' : count(model.nonzero)) },
  { title: 'bytes', cell: ({ model }) => (model === null ? '' : bytes(model.bytes)) },
  { title: 'gzip', cell: ({ model }) => (model === null ? '' : bytes(model.gzipBytes)) },
  { title: 'MACs', cell: ({ model }) => (model === null ? '' : count(model.macs)) },
];

const speed: readonly Column[] = [
  { title: 'p50 ms', cell: ({ latency }) => (latency[0] === undefined ? '' : milliseconds(latency[0].p50Ms)) },
  {
    title: 'speed-up',
    cell: ({ latency }) => (typeof latency[0]?.speedup === 'number' ? `${latency[0].speedup.toFixed(1)}x` : ''),
  },
  { title: 'seconds', cell: ({ seconds: spent, cached }) => `${seconds(spent)}${cached ? ' *' : ''}` },
];

/** The columns every table shows, in blocks that stay together when a narrow terminal splits the table. */
export const columnBlocks: readonly (readonly Column[])[] = [quality, structure, speed];

/** One line a baseline, above the table. */
export const baselineLines = ({ data: { baselines } }: Report): readonly string[] =>
  baselines === null
    ? []
    : [
        `majority class ${percent(baselines.majority.accuracy)} %`,
        `linear bag of words ${percent(baselines.linear.accuracy)} %`,
      ];

export const latencyCaption = (report: Report): string | undefined => {
  const cell = report.stages.find((stage) => stage.latency.length > 0)?.latency[0];
  if (cell === undefined) return undefined;
  const threads = `${cell.threads} thread${cell.threads === 1 ? '' : 's'}`;
  return `p50 at batch ${cell.batch}, ${cell.length} tokens, ${threads}; MACs at ${cell.length} tokens; * reused from the cache`;
};
