import { besideScore } from '../../classification.ts';
import { columnBlocks, latencyCaption, latencyConditions, perSecond, REUSED, telling } from '../../columns.ts';
import { bytes, range, speedup, whole } from '../../figures.ts';
import { metricOf } from '../../metric.ts';
import type { Report, StageReport } from '../../report.ts';
import { cellOf, controlNote, type Row, rowsOf } from '../../rows.ts';
import { busyNote, MEASURED_BUSY, p50Text, textsPerSecond, timeText } from '../../speed.ts';
import { capital } from '../../text.ts';
import { hasTooFewTexts, headline, stageOf, tooFewTexts } from '../../verdict.ts';
import { type Html, html, nothing } from '../html.ts';
import { type HtmlColumn, table } from '../table.ts';
import { explained } from '../terms.ts';
import type { Section } from './section.ts';

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

const qualityTile = ({ quality, difference }: StageReport, versus: string, report: Report): Tile[] => {
  if (quality === null) return [];
  const metric = metricOf(report);
  if (hasTooFewTexts(report)) {
    return [{ name: capital(metric.words), value: 'no verdict', note: tooFewTexts(report) }];
  }
  return [
    {
      name: capital(metric.words),
      value: `${metric.write(quality.score)}${metric.unit}`,
      note:
        difference === null || metric.isToReference
          ? `of ${whole(quality.examples)} ${metric.examples}`
          : `${metric.writeChange(difference.score)}${metric.changeUnit} ${range(difference, metric.writeChange)}${versus}`,
    },
  ];
};

const sizeTile = ({ model }: StageReport, reference: StageReport | undefined, versus: string): Tile[] => {
  if (model === null) return [];
  const before = reference?.model?.bytes;
  const note =
    before === undefined ? `${bytes(model.gzipBytes)} after gzip` : `${bytes(before)}${versus === '' ? '' : ' before'}`;
  return [{ name: 'Size', value: bytes(model.bytes), note }];
};

const speedTiles = ({ latency: [cell] }: StageReport, report: Report, versus: string): Tile[] => {
  if (cell === undefined) return [];
  const tail = `99 of 100 below ${timeText(cell, cell.p99Ms)} ms`;
  const note = `${latencyConditions(report) ?? ''}; ${tail}; ${textsPerSecond(cell)} ${perSecond(report)}${cell.busy ? `; ${MEASURED_BUSY}` : ''}`;
  const time = { name: 'Median latency', value: `${p50Text(cell)} ms`, note };
  if (cell.busy || cell.speedup === null || versus === '') return [time];
  const interval = cell.speedupInterval === null ? '' : range(cell.speedupInterval, speedup);
  return [time, { name: 'Speed-up', value: speedup(cell.speedup), note: `${interval}${versus}` }];
};

/** What it costs to begin. */
const loadingTiles = ({ loading }: StageReport): Tile[] =>
  loading === null
    ? []
    : [
        {
          ...{ name: 'Load time', value: `${timeText(loading, loading.sessionMs)} ms` },
          note: `and ${timeText(loading, loading.firstRunMs)} ms for the first answer`,
        },
        { name: 'Peak memory', value: bytes(loading.peakBytes), note: 'of the whole process, Node and runtime in it' },
      ];

/** Where classes are uneven, what every class weighs alike in. */
const unevenTile = ({ quality }: StageReport, report: Report): Tile[] => {
  const beside = hasTooFewTexts(report) ? undefined : besideScore(report, quality);
  const figure = beside === undefined ? undefined : quality?.more[beside.metric.name];
  if (beside === undefined || figure === undefined) return [];
  const { words, write, unit } = beside;
  const interval = figure.interval === null ? '' : `${range(figure.interval, write)}; `;
  return [{ name: capital(words), value: `${write(figure.value)}${unit}`, note: `${interval}classes are uneven` }];
};

/** The figures of the stage that a reader came for. */
export const tiles = (report: Report): Html => {
  const stage = headline(report);
  if (stage === null) return nothing;
  const reference = stageOf(report, report.reference);
  const versus = reference === undefined || reference.id === stage.id ? '' : ` against ${reference.id}`;
  const shown = [
    ...qualityTile(versus === '' ? { ...stage, difference: null } : stage, versus, report),
    ...unevenTile(stage, report),
    ...sizeTile(stage, versus === '' ? undefined : reference, versus),
    ...speedTiles(stage, report, versus),
    ...loadingTiles(stage),
  ];
  return html`<dl class="tiles">
${shown.map(({ name, value, note }) => html`<div><dt>${explained(name)}</dt><dd>${value}<small>${note}</small></dd></div>\n`)}</dl>`;
};

const nameOf = ({ stage: { id, uses }, kind }: Row): Html | string => {
  const what = kind === 'stage' ? uses : kind;
  return id === what ? id : html`${id} <small>${what}</small>`;
};

/** All stages in one table: the very figures of the terminal and of report.md. */
export const summarySection = (report: Report): Section => {
  const best = headline(report)?.id;
  const columns: HtmlColumn<Row>[] = [
    { title: 'stage', cell: nameOf },
    ...telling(report, columnBlocks(report).flat()).map((column) => ({
      title: column.title,
      cell: (row: Row) => cellOf(column, row, report),
    })),
  ];
  const notes = [
    controlNote(report),
    latencyCaption(report),
    report.stages.some(({ cached }) => cached) ? REUSED : undefined,
  ].filter((note) => note !== undefined);
  const busy = busyNote(report);
  return {
    id: 'stages',
    title: 'All stages',
    body: html`${table(columns, rowsOf(report), 'All stages', { strong: ({ stage }) => stage.id === best })}
${busy === undefined ? nothing : html`<p class="warning">${busy}.</p>`}
<p class="note">${notes.join('. ')}${notes.length === 0 ? '' : '.'}</p>`,
  };
};
