import { metricCalled } from '../../ground/metrics/index.ts';
import { type Written, written } from '../../reports/metric.ts';
import { oneLine } from '../../reports/text.ts';
import { leftText, Remaining } from '../view/remaining.ts';
import { duration, figuresText, Pace, partOf, progressText, rowOf, rowsIn, runPrefix } from '../view/text.ts';
import { endsRun, type LoggedEvent } from './events.ts';
import type { CurvePoint, LiveRow, LiveRun } from './shapes.ts';

type Of<Type extends LoggedEvent['type']> = Extract<LoggedEvent, { readonly type: Type }>;

/** A stage with the steps that are done for it, as they stand. */
interface Row {
  readonly title: string;
  readonly open: Set<string>;
  state: LiveRow['state'];
  seconds: number;
  /** What its model scored on the test split. */
  scored: string;
  says: string;
}

/** A curve has so many points at most; those of validations are all kept. */
const MOST_POINTS = 400;

const writtenAs = (name: string): Written | undefined => {
  const metric = metricCalled(name);
  return metric === undefined ? undefined : written(metric);
};

const rowsOf = (all: Of<'run-started'>['steps']): ReadonlyMap<string, Row> =>
  new Map(
    rowsIn(all).map(({ id, title, steps }) => [
      id,
      { title: oneLine(title), open: new Set(steps), state: 'waiting', seconds: 0, scored: '', says: '' },
    ]),
  );

/** How far a run is, by its events. */
export class RunProgress {
  /** Points of all curves in the order in which they came: a reader remembers how many it has. */
  readonly points: CurvePoint[] = [];
  /** When the last event was written, in milliseconds; 0 before the first. */
  last = 0;
  /** Of the run; 0 before it is known. */
  process = 0;
  end: LiveRun['end'] = null;
  private key = '';
  private title = '';
  private rows: ReadonlyMap<string, Row> = new Map();
  private readonly scores: Record<string, string> = {};
  private readonly drawn = new Map<string, { step: number; score: number | null }>();
  private pace = new Pace();
  private readonly remaining = new Remaining();
  private now = '';
  private share: number | null = null;

  take(event: LoggedEvent): void {
    this.last = Date.parse(event.at) || this.last;
    this.remaining.see(event, this.last);
    if (event.type === 'run-started') this.begin(event);
    else if (event.type === 'run-finished') this.finish(event.complete ? 'complete' : 'failed', event.seconds);
    else if (event.type !== 'expected') this.step(event);
  }

  /** By the clock: a step that says nothing goes on all the same. */
  private get left(): string {
    const left = this.end === null ? this.remaining.left(Date.now()) : undefined;
    return left === undefined ? '' : leftText(left);
  }

  get live(): LiveRun {
    const { key, title, end, now, left, share, scores } = this;
    const rows = [...this.rows.values()].map(
      ({ title: name, state, seconds, scored, says }): LiveRow => ({
        ...{ title: name, state },
        note: [seconds > 0 && state !== 'running' ? duration(seconds) : '', scored, says]
          .filter((part) => part !== '')
          .join(', '),
      }),
    );
    return { key, title, end, rows, now, left, share, scores };
  }

  private begin(event: Of<'run-started'>): void {
    this.key = `${event.at} ${event.seed}`;
    this.title = oneLine(`${runPrefix(event)}${event.name}`);
    [this.process, this.end, this.now, this.share] = [event.process, null, '', null];
    this.rows = rowsOf(event.steps);
    this.points.length = 0;
    this.drawn.clear();
  }

  private finish(end: LiveRun['end'], seconds: number): void {
    this.end = end;
    this.share = null;
    this.now = `${end === 'complete' ? 'finished' : 'stopped'} after ${duration(seconds)}`;
  }

  private step(event: Extract<LoggedEvent, { readonly step: string }>): void {
    const row = this.rows.get(rowOf(event.step));
    if (row === undefined) return;
    switch (event.type) {
      case 'started':
      case 'waiting':
        row.state = 'running';
        this.pace = new Pace();
        this.tell(event.step, event.type === 'waiting' ? 'waits for another run that is working on it' : '', null);
        return;
      case 'progress':
        row.state = 'running';
        this.advance(event);
        return;
      case 'log':
        row.says = oneLine(event.message);
        return;
      case 'cached':
      case 'finished':
        this.close(row, event);
        return;
      case 'failed':
        row.state = 'failed';
        row.says = oneLine(event.message);
        return;
      case 'interrupted':
        row.state = 'waiting';
        if (endsRun(event)) this.end = 'interrupted';
        [this.now, this.share] = ['interrupted: the same command goes on from there', null];
    }
  }

  private tell(step: string, text: string, share: number | null): void {
    const part = partOf(step);
    const doing = `${rowOf(step)}${part === '' ? '' : `: ${part}`}`;
    this.now = oneLine(text === '' ? doing : `${doing}: ${text}`);
    this.share = share;
  }

  private advance({ step, at, progress }: Of<'progress'>): void {
    const { done, total } = progress;
    this.tell(step, progressText(progress, this.pace.left(progress, Date.parse(at))), total > 0 ? done / total : null);
    this.draw(rowOf(step), progress);
  }

  /** A point where the curve has moved on far enough, or was validated again. */
  private draw(stage: string, { done, total, validation, ...progress }: Of<'progress'>['progress']): void {
    const loss = progress.loss ?? null;
    const metric = validation === undefined ? undefined : writtenAs(validation.metric);
    const score = validation === undefined || metric === undefined ? null : metric.factor * validation.score;
    const last = this.drawn.get(stage);
    const isNew = score !== null && score !== last?.score;
    const moved = loss !== null && (last === undefined || done - last.step >= total / MOST_POINTS || done < last.step);
    if (!isNew && !moved) return;
    if (metric !== undefined) this.scores[stage] = metric.title;
    this.drawn.set(stage, { step: done, score });
    this.points.push({ stage: oneLine(stage), step: done, loss, score: isNew ? score : null });
  }

  private close(row: Row, { type, step, seconds, figures }: Of<'cached'> | Of<'finished'>): void {
    row.open.delete(step);
    row.seconds += seconds;
    row.says = '';
    if (figures !== undefined) row.scored = oneLine(figuresText(figures));
    if (type === 'finished') row.state = 'running';
    if (row.open.size === 0) row.state = row.state === 'running' ? 'done' : 'reused';
    this.share = null;
  }
}
