import type { ListrTaskWrapper } from 'listr2';
import { oneLine } from '../../reports/text.ts';
import type { StepInfo } from '../events.ts';
import { rowsIn } from './text.ts';

export type Task = Pick<ListrTaskWrapper<unknown, never, never>, 'title' | 'output'>;

/** A stage and all that is done for it. */
export interface Row {
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
      // Messages of stages quote files of strangers.
      shown = oneLine(text);
      refresh();
    },
    note: (text) => {
      noted = oneLine(text);
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

/** A row for each stage, by its id. */
export const rowsOf = (steps: readonly StepInfo[], prefix: string): ReadonlyMap<string, Row> =>
  new Map(rowsIn(steps).map(({ id, title, steps: own }) => [id, row(`${prefix}${title}`, own)]));
