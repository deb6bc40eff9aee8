import type { RunEvent, StepFigures, StepInfo } from '../events.ts';
import { leftText, Remaining } from './remaining.ts';
import { duration, figuresText, Pace, progressText, runPrefix } from './text.ts';
import type { View } from './view.ts';

/** A line of progress this often is enough for a log. */
const PROGRESS_MS = 10_000;

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

const withFigures = (text: string, figures: StepFigures | undefined): string =>
  figures === undefined ? text : `${text}: ${figuresText(figures)}`;

/** The text of an event that is worth a line by itself. */
export const eventText = (event: RunEvent): string | undefined => {
  switch (event.type) {
    case 'run-started':
      return `${event.name}: ${event.variant === undefined ? '' : `variant ${event.variant}, `}${plural(event.steps.length, 'step')}, seed ${event.seed}, ${plural(event.threads, 'thread')}`;
    case 'cached':
      return withFigures(`reused, took ${duration(event.seconds)} when it was made`, event.figures);
    case 'damaged':
      return `damaged in the store: ${event.files.join(', ')}; it is made again`;
    case 'waiting':
      return 'waits for another run that is working on it';
    case 'started':
      return `started: ${event.why.join('; ')}`;
    case 'log':
      return event.message;
    case 'finished':
      return withFigures(`done in ${duration(event.seconds)}`, event.figures);
    case 'failed':
      return `failed: ${event.message}`;
    case 'interrupting':
      return 'interrupted: saving, press Ctrl-C again to stop at once';
    case 'interrupted':
      return 'stopped';
    case 'run-finished':
      return `${event.complete ? 'finished' : 'stopped'} after ${duration(event.seconds)}: ${plural(event.ran, 'step')} run, ${event.reused} reused`;
    case 'progress':
    case 'expected':
      return undefined;
  }
};

/** One line an event, for logs and pipes. */
export const plainView = (write: (line: string) => void, now: () => number = Date.now): View => {
  let steps: readonly StepInfo[] = [];
  let prefix = '';
  let shown = 0;
  let pace = new Pace();
  const remaining = new Remaining();
  const line = (step: string, text: string): void => {
    const width = Math.max(0, ...steps.map(({ id }) => id.length));
    write(`${prefix}${step.padEnd(width)}  ${text}`);
  };
  const progress = (event: Extract<RunEvent, { type: 'progress' }>): void => {
    const left = pace.left(event.progress, now());
    if (now() - shown < PROGRESS_MS) return;
    shown = now();
    line(event.step, progressText(event.progress, left));
    const all = remaining.left(now());
    if (all !== undefined) write(`${prefix}${leftText(all)} in all`);
  };
  return {
    emit: (event) => {
      remaining.see(event, now());
      if (event.type === 'run-started') {
        steps = event.steps;
        prefix = runPrefix(event);
      }
      if (event.type === 'started') {
        shown = now();
        pace = new Pace();
      }
      if (event.type === 'progress') progress(event);
      const text = eventText(event);
      if (text === undefined) return;
      if ('step' in event) line(event.step, text);
      else write(text);
    },
    close: async () => undefined,
  };
};
