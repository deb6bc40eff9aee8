import { metricCalled } from '../../ground/metrics/index.ts';
import type { Progress } from '../../ground/progress.ts';
import { bytes, whole as count, range } from '../../reports/figures.ts';
import { written } from '../../reports/metric.ts';
import type { StepFigures, StepInfo } from '../events.ts';

/** 0.4 s, 12 s, 3 m 05 s, 1 h 02 m. */
export const duration = (seconds: number): string => {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  if (minutes < 60) return `${minutes} m ${String(rest).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} m`;
};

interface Mark {
  readonly at: number;
  readonly done: number;
  readonly total: number;
}

/** Texts come longest first and machines swing, so that only what was done lately tells how it goes on. */
const WINDOW_MS = 20_000;

/** Seconds until the end at the pace of the last twenty seconds. */
export class Pace {
  private marks: Mark[] = [];

  left({ done, total }: Progress, now: number): number | undefined {
    const last = this.marks.at(-1);
    // Another total means another part of the work, at a pace of its own.
    if (last !== undefined && (last.total !== total || done < last.done)) this.marks = [];
    this.marks.push({ at: now, done, total });
    while ((this.marks[1]?.at ?? now) < now - WINDOW_MS) this.marks.shift();
    const [first] = this.marks;
    const elapsed = (now - (first?.at ?? now)) / 1000;
    const gained = done - (first?.done ?? done);
    return total === 0 || gained === 0 || elapsed < 1 ? undefined : (Math.max(0, total - done) * elapsed) / gained;
  }
}

/** How a metric of this name is called and written. */
const writtenAs = (name: string): { readonly words: string; readonly unit: string; write(x: number): string } => {
  const metric = metricCalled(name);
  if (metric === undefined) return { words: name, unit: '', write: String };
  return written(metric);
};

/** `accuracy 91.2 % [89.1, 93.0]`. */
export const figuresText = ({ metric, score, low, high }: Omit<StepFigures, 'answers'>): string => {
  const { words, unit, write } = writtenAs(metric);
  return `${words} ${write(score)}${unit} ${range({ low, high }, write)}`;
};

const validationText = ({ metric, score }: NonNullable<Progress['validation']>): string => {
  const { words, unit, write } = writtenAs(metric);
  return `validation ${words} ${write(score)}${unit}`;
};

/** How much is done of how much. */
const amount = ({ done, total, unit }: Progress): string => {
  if (unit === 'bytes') return total > 0 ? `${bytes(done)} of ${bytes(total)}` : bytes(done);
  return total > 0 ? `${count(done)}/${count(total)} ${unit}` : `${count(done)} ${unit}`;
};

/** One line about a step in progress: phase, units, loss, speed, time left. */
export const progressText = (progress: Progress, left: number | undefined): string => {
  const { phase, loss, validation, tokensPerSecond } = progress;
  const parts = [
    phase,
    amount(progress),
    loss === undefined ? undefined : `loss ${loss.toFixed(3)}`,
    validation === undefined ? undefined : validationText(validation),
    tokensPerSecond === undefined ? undefined : `${count(tokensPerSecond)} tokens/s`,
    left === undefined ? undefined : `${duration(left)} left`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
};

/** The row of the view that a step belongs to: a stage and all that is done for it share one. */
export const rowOf = (step: string): string => step.split('/')[0] ?? step;

type RowStep = Pick<StepInfo, 'id' | 'uses'>;

/** What a row is called: its id, and its kind where that says more. */
const rowTitle = ({ id, uses }: RowStep): string => (id === uses ? id : `${id} (${uses})`);

/** The rows of a view in their order: what each is called, and the steps that are done for it. */
export const rowsIn = (all: readonly RowStep[]) =>
  [...new Set(all.map(({ id }) => rowOf(id)))].map((id) => {
    const info = all.find((step) => step.id === id);
    const steps = all.filter((step) => rowOf(step.id) === id).map((step) => step.id);
    return { id, title: info === undefined ? id : rowTitle(info), steps };
  });

/** What a step of a row is called within it: nothing for the stage itself. */
export const partOf = (step: string): string => step.split('/').slice(1).join('/');

/** What stands before everything that is said about one of several variants and seeds. */
export const runPrefix = ({
  variant,
  seed,
  seeds = [],
}: {
  readonly variant?: string;
  readonly seed: number;
  readonly seeds?: readonly number[];
}): string => `${variant === undefined ? '' : `${variant}  `}${seeds.length > 1 ? `seed ${seed}  ` : ''}`;
