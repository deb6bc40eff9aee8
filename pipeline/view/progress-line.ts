import type { Progress } from '../../ground/progress.ts';
import { whole } from '../../reports/figures.ts';
import { oneLine } from '../../reports/text.ts';
import { Frame } from './frame.ts';
import { duration } from './text.ts';

/** Where lines of progress go: a terminal, where one line is written over and over, or a log, where each stays. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressLine {
  show(name: string, progress: Progress): void;
  /** Takes the line off a terminal. */
  clear(): void;
}

/** A terminal is written to as often as eyes follow, a log so seldom that it stays short. */
const EVERY_MS = { terminal: 100, log: 10_000 } as const;

/** What is left, by what one unit has taken so far. */
const leftOf = ({ done, total }: Progress, spent: number): string =>
  done === 0 || total <= done ? '' : `, ${duration((spent * (total - done)) / done)} left`;

const textOf = (name: string, progress: Progress, spent: number): string => {
  const { done, total, unit } = progress;
  const rate = spent > 0 ? `, ${whole(done / spent)} ${unit}/s` : '';
  const count = total > 0 ? `${whole(done)} of ${whole(total)}` : whole(done);
  return `${oneLine(name)}: ${count} ${unit}${rate}${leftOf(progress, spent)}`;
};

/** One line that says how far a command is and how long it will take; silent where all is done before anybody would ask. */
export const progressLine = (screen: Screen, now: () => number = () => performance.now()): ProgressLine => {
  const terminal = screen.isTTY === true;
  const frame = new Frame(screen);
  const started = new Map<string, number>();
  let last = now();
  let shown = false;
  return {
    show: (name, progress) => {
      const at = now();
      const begun = started.get(name) ?? at;
      started.set(name, begun);
      if (at - last < EVERY_MS[terminal ? 'terminal' : 'log']) return;
      last = at;
      shown = terminal;
      const text = textOf(name, progress, (at - begun) / 1000);
      if (terminal) frame.draw([text]);
      else screen.write(`${text}\n`);
    },
    clear: () => {
      if (shown) frame.clear();
      shown = false;
    },
  };
};
