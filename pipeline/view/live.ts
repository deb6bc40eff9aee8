import { Listr } from 'listr2';
import { fitted, terminalWidth } from '../../reports/text.ts';
import type { RunEvent, StepFigures } from '../events.ts';
import { eventText } from './plain.ts';
import { leftText, Remaining } from './remaining.ts';
import { rendererOver } from './renderer.ts';
import { type Row, rowsOf, type Task } from './rows.ts';
import { duration, figuresText, Pace, partOf, progressText, rowOf, runPrefix } from './text.ts';
import type { View } from './view.ts';

/** What is told of a row that ended. */
interface Outcome {
  readonly spent: number;
  readonly reused: boolean;
  readonly figures?: StepFigures | undefined;
}

const outcomeText = ({ spent, reused, figures }: Outcome): string => {
  const time = reused ? `reused, saved ${duration(spent)}` : duration(spent);
  return figures === undefined ? time : `${time}, ${figuresText(figures)}`;
};

type Started = Extract<RunEvent, { type: 'run-started' }>;

/** Cells that the name of a run keeps in a narrow terminal. */
const LEAST_NAME = 8;

class Live {
  private run: Started | undefined;
  private rows: ReadonlyMap<string, Row> = new Map();
  private readonly ended = new Set<string>();
  private readonly outcomes = new Map<string, Outcome>();
  private readonly remaining = new Remaining();
  private running: Promise<unknown> = Promise.resolve();
  private pace = new Pace();
  private began = Date.now();
  private readonly color: boolean;
  private failure: Error | undefined;

  constructor(color: boolean) {
    this.color = color;
  }

  emit(event: RunEvent): void {
    this.remaining.see(event, Date.now());
    if (event.type === 'run-started') this.begin(event);
    else if (event.type === 'interrupting') for (const { show } of this.rows.values()) show(eventText(event) ?? '');
    else if ('step' in event) this.step(event);
  }

  private begin(run: Started): void {
    if (this.run === undefined) this.began = Date.now();
    this.run = run;
    this.rows = rowsOf(run.steps, runPrefix(run));
    this.ended.clear();
    const tasks = [...this.rows.values()].map(({ title, begin }) => ({
      title,
      task: (_: unknown, task: Task) => begin(task),
    }));
    const list = new Listr(tasks, {
      concurrent: false,
      exitOnError: true,
      registerSignalListeners: false,
      renderer: rendererOver((columns) => this.status(columns)),
      rendererOptions: { collapseErrors: true, showErrorMessage: false },
      ...(this.color ? {} : { forceUnicode: false }),
    });
    // The rows of the next seed come below those of the one before.
    this.running = this.running.then(() => list.run()).catch(() => undefined);
  }

  /** `tiny: step 4 of 22, 3 m 05 s, about 12 m 05 s left`, as far as it fits; the name gives way first. */
  private status(columns: number): string {
    if (this.run === undefined) return '';
    const { name, steps, seed, seeds = [], variant = '', variants = [] } = this.run;
    const step = Math.min(this.ended.size + 1, steps.length);
    const left = this.remaining.left(Date.now());
    const parts = [
      variants.length > 1 ? `variant ${variants.indexOf(variant) + 1} of ${variants.length}` : undefined,
      seeds.length > 1 ? `seed ${seeds.indexOf(seed) + 1} of ${seeds.length}` : undefined,
      `step ${step} of ${steps.length}`,
      duration((Date.now() - this.began) / 1000),
      left === undefined ? undefined : leftText(left),
    ];
    const rest = `: ${parts.filter((part) => part !== undefined).join(', ')}`;
    return fitted(`${fitted(name, Math.max(LEAST_NAME, columns - terminalWidth(rest)))}${rest}`, columns);
  }

  private step(event: Extract<RunEvent, { step: string }>): void {
    const current = this.rows.get(rowOf(event.step));
    if (current === undefined) return;
    const part = partOf(event.step);
    const text = (said: string): string => (part === '' ? said : `${part}: ${said}`);
    switch (event.type) {
      case 'progress':
        current.show(text(progressText(event.progress, this.pace.left(event.progress, Date.now()))));
        return;
      case 'cached':
      case 'finished':
        this.end(event, current);
        return;
      case 'failed':
      case 'interrupted':
        this.failure = new Error(eventText(event));
        current.settle(this.failure);
        return;
      case 'started':
        this.pace = new Pace();
        current.show(text(eventText(event) ?? ''));
        return;
      default:
        current.show(text(eventText(event) ?? ''));
    }
  }

  /** A row ends with the last of its steps. */
  private end(event: Extract<RunEvent, { type: 'cached' | 'finished' }>, current: Row): void {
    this.ended.add(event.step);
    const before = this.outcomes.get(current.title) ?? { spent: 0, reused: true };
    const outcome = {
      spent: before.spent + event.seconds,
      reused: before.reused && event.type === 'cached',
      // Of answers to validation texts, which come after those to test texts, the row says nothing.
      figures: before.figures ?? event.figures,
    };
    this.outcomes.set(current.title, outcome);
    const isWhole = current.steps.every((id) => this.ended.has(id));
    if (isWhole || outcome.figures !== undefined) current.note(outcomeText(outcome));
    if (isWhole) current.settle();
  }

  async close(): Promise<void> {
    // Rows that never started would keep the list waiting.
    for (const { settle } of this.rows.values()) settle(this.failure ?? new Error('not run'));
    await this.running;
  }
}

/** Rows that move: one a stage, with the step it is at, over a line that tells of the whole run. */
export const liveView = (color: boolean): View => {
  const live = new Live(color);
  return { emit: (event) => live.emit(event), close: () => live.close() };
};
