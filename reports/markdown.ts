import { baselineLines, columnBlocks, latencyCaption, milliseconds, seconds } from './columns.ts';
import type { LatencyReport, Report, StageReport } from './report.ts';

/** Text from data or YAML, made inert inside a Markdown table. */
const inert = (text: string): string =>
  text
    .replace(/[\\`*_[\]<>|#&]/g, (c) => (c === '|' ? '\\|' : c === '<' ? '&lt;' : c === '&' ? '&amp;' : `\\${c}`))
    .replace(/\s+/g, ' ');

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  row(head),
  row(head.map((_, i) => (i === 0 ? '---' : '---:'))),
  ...rows.map(row),
];

const summary = (report: Report): string[] => {
  const columns = columnBlocks.flat();
  return table(
    ['stage', ...columns.map((column) => column.title)],
    report.stages.map((stage) => [inert(stage.id), ...columns.map((column) => column.cell(stage, report))]),
  );
};

const grid = ({ stages }: Report): string[] => {
  const measured = stages.filter((stage) => stage.latency.length > 0);
  const cells = measured[0]?.latency ?? [];
  const entry = ({ p50Ms, p90Ms, speedup }: LatencyReport): string =>
    `${milliseconds(p50Ms)} / ${milliseconds(p90Ms)}${speedup === null ? '' : ` (${speedup.toFixed(1)}x)`}`;
  return cells.length === 0
    ? []
    : [
        '',
        '<details><summary>Latency in ms: p50 / p90 (speed-up)</summary>',
        '',
        ...table(
          ['stage', ...cells.map(({ batch, length }) => `batch ${batch}, ${length} tokens`)],
          measured.map((stage) => [inert(stage.id), ...stage.latency.map(entry)]),
        ),
        '',
        '</details>',
      ];
};

const notes = ({ stages }: Report): string[] => {
  const noted = stages.filter((stage) => stage.notes.length > 0);
  const line = (stage: StageReport): string[] => stage.notes.map((note) => `- ${inert(stage.id)}: ${inert(note)}`);
  return noted.length === 0
    ? []
    : ['', '<details><summary>Notes</summary>', '', ...noted.flatMap(line), '', '</details>'];
};

/** report.md: the summary table first, the rest folded. */
export const renderMarkdown = (report: Report): string => {
  const { environment: at, data } = report;
  const caption = latencyCaption(report);
  return `${[
    `# ${inert(report.name)}`,
    '',
    `${data.train} labelled, ${data.unlabelled} unlabelled, ${data.test} test texts, ${data.classes.length} classes. Baselines: ${baselineLines(report).join(', ')}.`,
    '',
    ...summary(report),
    '',
    ...(caption === undefined ? [] : [`${caption}.`]),
    ...grid(report),
    ...notes(report),
    '',
    `seed ${report.seed}, ${at.cpu}, ${at.threads} threads, Node ${at.node}, ONNX Runtime ${at.onnxruntime}, decant ${at.decant}, ${seconds(report.seconds)} s`,
  ].join('\n')}\n`;
};
