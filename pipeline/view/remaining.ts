import type { Progress } from '../../ground/progress.ts';
import type { RunEvent } from '../events.ts';
import { duration, Pace } from './text.ts';

/** Seconds until a run ends, and how many of its steps nothing is known of. */
export interface Left {
  readonly seconds: number;
  readonly unknown: number;
}

/** What is read of events: those of a log tell it, too. */
type Heard =
  | { readonly type: 'run-started'; readonly steps: readonly { readonly id: string }[] }
  | Extract<RunEvent, { readonly type: 'expected' }>
  | { readonly type: 'started' | 'cached'; readonly step: string }
  | { readonly type: 'progress'; readonly step: string; readonly progress: Progress }
  | { readonly type: 'finished'; readonly step: string; readonly seconds: number }
  | { readonly type: 'damaged' | 'waiting' | 'log' | 'failed' | 'interrupting' | 'interrupted' | 'run-finished' };

/** The step that is under way. */
interface Current {
  readonly step: string;
  readonly began: number;
  /** Share of its work that is done, and seconds for the rest at the pace of late, as far as it tells them. */
  share: number;
  left: number | undefined;
}

/** What has ended counts as much as this share of all that is expected before it says how all goes. */
const PRIOR = 0.1;
/** A step that took a hundred times what was expected says nothing of the others. */
const MOST = 10;

/** Seconds after which the pace of a step counts as much as what was expected of it, however far it is. */
const SETTLED = 60;

/** How long a run will still take, by what its steps should take and by how they go. */
export class Remaining {
  #open: ReadonlySet<string> = new Set();
  #expected: ReadonlyMap<string, number> = new Map();
  #later = 0;
  #past = { expected: 0, spent: 0 };
  #pace = new Pace();
  #current: Current | undefined;

  see(event: RunEvent | Heard, now: number): void {
    switch (event.type) {
      case 'run-started':
        this.#open = new Set(event.steps.map(({ id }) => id));
        this.#forget();
        return;
      case 'expected':
        this.#expected = new Map(Object.entries(event.seconds));
        this.#later = event.later;
        return;
      case 'started':
        this.#pace = new Pace();
        this.#current = { step: event.step, began: now, share: 0, left: undefined };
        return;
      case 'progress':
        this.#advance(event, now);
        return;
      case 'cached':
        this.#end(event.step);
        return;
      case 'finished':
        this.#learn(event.step, event.seconds);
        this.#end(event.step);
        return;
      case 'run-finished':
        this.#open = new Set();
        return;
    }
  }

  /** Undefined where nothing is known. */
  left(now: number): Left | undefined {
    const known = [...this.#open].some((step) => this.#expected.has(step));
    if (!known && this.#later === 0) return undefined;
    let [seconds, unknown] = [this.#later * this.#speed, 0];
    for (const step of this.#open) {
      const own = step === this.#current?.step ? this.#leftOf(this.#current, now) : this.#scaled(step);
      if (own === undefined) unknown++;
      else seconds += own;
    }
    return { seconds, unknown };
  }

  #forget(): void {
    this.#expected = new Map();
    this.#later = 0;
    this.#past = { expected: 0, spent: 0 };
    this.#current = undefined;
  }

  #advance({ step, progress }: Extract<Heard, { type: 'progress' }>, now: number): void {
    if (step !== this.#current?.step) return;
    this.#current.left = this.#pace.left(progress, now);
    this.#current.share = progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
  }

  #end(step: string): void {
    this.#open = new Set([...this.#open].filter((id) => id !== step));
    if (this.#current?.step === step) this.#current = undefined;
  }

  #learn(step: string, spent: number): void {
    const expected = this.#expected.get(step);
    if (expected === undefined) return;
    this.#past = { expected: this.#past.expected + expected, spent: this.#past.spent + spent };
  }

  /** How many times what was expected steps took so far. */
  get #speed(): number {
    const all = [...this.#expected.values()].reduce((sum, seconds) => sum + seconds, this.#later);
    const prior = PRIOR * all;
    const speed = prior === 0 ? 1 : (this.#past.spent + prior) / (this.#past.expected + prior);
    return Math.min(MOST, Math.max(1 / MOST, speed));
  }

  #scaled(step: string): number | undefined {
    const expected = this.#expected.get(step);
    return expected === undefined ? undefined : expected * this.#speed;
  }

  /** The further a step is and the longer it went on, the more its own pace counts. */
  #leftOf({ step, began, share, left }: Current, now: number): number | undefined {
    const whole = this.#scaled(step);
    const spent = (now - began) / 1000;
    const planned = whole === undefined ? undefined : Math.max(0, whole - spent);
    if (left === undefined) return planned;
    const trust = Math.max(share, spent / (spent + SETTLED));
    return planned === undefined ? left : trust * left + (1 - trust) * planned;
  }
}

/** `about 12 m 05 s left`, and what that leaves out. */
export const leftText = ({ seconds, unknown }: Left): string => {
  const steps = unknown === 0 ? '' : ` and ${unknown} ${unknown === 1 ? 'step' : 'steps'} never timed`;
  return `about ${duration(seconds)}${steps} left`;
};
