import { Listr, type ListrTaskWrapper } from 'listr2';
import type { RunEvent, StepInfo } from '../events.ts';
import { eventText } from './plain.ts';
import { duration, Pace, partOf, progressText, rowOf, rowTitle, seedPrefix } from './text.ts';
import type { View } from './view.ts';

type Task = Pick<ListrTaskWrapper<unknown, never, never>, 'title' | 'output'>;

interface Row {
  readonly title: string;
  readonly steps: readonly string[];
  /** The task of the row: starts when the list reaches it, ends when `settle` is called. */
  readonly begin: (task: Task) => Promise<void>;
  readonly settle: (failure?: Error) => void;
  readonly show: (text: string) => void;
  readonly note: (text: string) => void;
}

/** A row whose task starts, speaks and ends when events say so; what is said before it starts is shown then. */
const row = (title: string, steps: readonly string[]): Row => {
  let task: Task | undefined;
  let [shown, noted] = ['', ''];
  const { promise, resolve, reject } = deferred();
  let over = false;
  const refresh = (): void => {
    if (task === undefined) return;
    // The list takes no more output for a row that ended.
    if (shown !== '' && !over) task.output = shown;
    if (noted !== '') task.title = `${title}  ${noted}`;
  };
  return {
    title,
    steps,
    settle: (failure) => {
      over = true;
      if (failure === undefined) resolve();
      else reject(failure);
    },
    begin: (started) => {
      task = started;
      refresh();
      return promise;
    },
    show: (text) => {
      shown = text;
      refresh();
    },
    note: (text) => {
      noted = text;
      refresh();
    },
  };
};

interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

/** A promise that is settled from outside; a rejection that nobody waits for is no fault. */
const deferred = (): Deferred => {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((done, fail) => {
    resolve = done;
    reject = fail;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
};

const rowsOf = (steps: readonly StepInfo[], prefix: string): ReadonlyMap<string, Row> => {
  const ids = [...new Set(steps.map(({ id }) => rowOf(id)))];
  return new Map(
    ids.map((id) => {
      const info = steps.find((step) => step.id === id);
      const own = steps.filter((step) => rowOf(step.id) === id).map((step) => step.id);
      return [id, row(`${prefix}${info === undefined ? id : rowTitle(info)}`, own)];
    }),
  );
};

class Live {
  private rows: ReadonlyMap<string, Row> = new Map();
  private readonly ended = new Set<string>();
  private readonly seconds = new Map<string, { spent: number; reused: boolean }>();
  private running: Promise<unknown> = Promise.resolve();
  private pace = new Pace();
  private readonly color: boolean;
  private failure: Error | undefined;

  constructor(color: boolean) {
    this.color = color;
  }

  emit(event: RunEvent): void {
    if (event.type === 'run-started') this.begin(rowsOf(event.steps, seedPrefix(event)));
    else if (event.type === 'interrupting') for (const { show } of this.rows.values()) show(eventText(event) ?? '');
    else if ('step' in event) this.step(event);
  }

  private begin(rows: ReadonlyMap<string, Row>): void {
    this.rows = rows;
    this.ended.clear();
    const tasks = [...this.rows.values()].map(({ title, begin }) => ({
      title,
      task: (_: unknown, task: Task) => begin(task),
    }));
    const list = new Listr(tasks, {
      concurrent: false,
      exitOnError: true,
      registerSignalListeners: false,
      rendererOptions: { collapseErrors: true, showErrorMessage: false, formatOutput: 'truncate' },
      ...(this.color ? {} : { forceUnicode: false }),
    });
    // The rows of the next seed come below those of the one before.
    this.running = this.running.then(() => list.run()).catch(() => undefined);
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
        this.end(event.step, current, event.seconds, event.type === 'cached');
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
  private end(step: string, current: Row, seconds: number, reused: boolean): void {
    this.ended.add(step);
    const before = this.seconds.get(current.title) ?? { spent: 0, reused: true };
    const now = { spent: before.spent + seconds, reused: before.reused && reused };
    this.seconds.set(current.title, now);
    if (!current.steps.every((id) => this.ended.has(id))) return;
    current.note(now.reused ? `reused, saved ${duration(now.spent)}` : duration(now.spent));
    current.settle();
  }

  async close(): Promise<void> {
    // Rows that never started would keep the list waiting.
    for (const { settle } of this.rows.values()) settle(this.failure ?? new Error('not run'));
    await this.running;
  }
}

/** Rows that move: one a stage, with the step it is at. */
export const liveView = (color: boolean): View => {
  const live = new Live(color);
  return { emit: (event) => live.emit(event), close: () => live.close() };
};
