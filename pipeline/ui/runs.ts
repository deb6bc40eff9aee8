import { endsRun, eventIn } from './events.ts';
import { FollowedLog } from './follow.ts';
import { lastLines } from './lines.ts';
import { type RunPlace, runPlaces, type Stamped } from './places.ts';
import type { RunRow, RunState } from './shapes.ts';
import { nothingYet, type Summary, summaryOf } from './summary.ts';

/** A folder is looked at so often, however many ask. */
const LOOK_MS = 1000;

/** Something that was read from a file, as long as that is the same. */
interface Kept<Value> {
  readonly stamp: string;
  readonly value: Value;
}

/** How a run without a report ended, or did not. */
const ended = ({ progress: { end } }: FollowedLog): RunState =>
  end === 'interrupted' || end === 'failed' ? end : 'stopped';

/** The runs of a folder. Reports are read one after the other, each once: the list itself is there at once. */
export class Runs {
  readonly folder: string;
  /** Another one where the list has changed. */
  revision = 0;
  private places: readonly RunPlace[] = [];
  private readonly summaries = new Map<string, Kept<Summary>>();
  private readonly over = new Map<string, Kept<boolean>>();
  private readonly logs = new Map<string, FollowedLog>();
  private looked = Number.NEGATIVE_INFINITY;
  private looking: Promise<void> | undefined;
  private shown = '';
  private reading = false;
  private closed = false;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The rows of now. What was looked at a moment ago is not looked at again. */
  async rows(): Promise<readonly RunRow[]> {
    if (performance.now() - this.looked > LOOK_MS) {
      this.looking ??= this.look().finally(() => {
        this.looking = undefined;
      });
    }
    await this.looking;
    const rows = this.places.map((place) => this.rowOf(place));
    const shown = JSON.stringify(rows);
    if (shown !== this.shown) this.revision++;
    this.shown = shown;
    return rows;
  }

  /** The place of an id that the list has. */
  async find(id: string): Promise<RunPlace | undefined> {
    const place = this.places.find((one) => one.id === id);
    if (place !== undefined) return place;
    await this.rows();
    return this.places.find((one) => one.id === id);
  }

  /** The log of a run, read to its end. */
  async logOf({ log }: RunPlace): Promise<FollowedLog | undefined> {
    if (log === null) return undefined;
    const followed = this.logs.get(log.file) ?? new FollowedLog(log.file);
    this.logs.set(log.file, followed);
    await followed.advance();
    return followed;
  }

  close(): void {
    this.closed = true;
  }

  private async look(): Promise<void> {
    this.places = (await runPlaces(this.folder)).toSorted(
      (a, b) => whenOf(b) - whenOf(a) || a.run.localeCompare(b.run),
    );
    await Promise.all(this.places.map((place) => this.watch(place)));
    this.looked = performance.now();
    void this.read();
  }

  /** Of a run that has not come to its end all is read, of others the end alone. */
  private async watch(place: RunPlace): Promise<void> {
    const { log } = place;
    if (log === null) return;
    if (this.over.get(log.file)?.stamp !== log.stamp) {
      this.over.set(log.file, { stamp: log.stamp, value: await isOver(log) });
    }
    const isOpen = this.over.get(log.file)?.value === false || this.logs.has(log.file);
    if (isOpen || place.report === null) await this.logOf(place);
  }

  private rowOf(place: RunPlace): RunRow {
    const { id, run, log, report } = place;
    const followed = log === null ? undefined : this.logs.get(log.file);
    const row = { ...(this.summaries.get(place.folder)?.value ?? nothingYet), id, run };
    if (followed?.runs === true) return { ...row, state: 'running' };
    return report === null && followed !== undefined ? { ...row, state: ended(followed) } : row;
  }

  private isRead({ folder, report }: RunPlace): boolean {
    return report === null || this.summaries.get(folder)?.stamp === report.stamp;
  }

  /** Reads the reports that are new, the newest run's first. */
  private async read(): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    try {
      for (let next = this.unread(); next !== undefined && !this.closed; next = this.unread()) {
        this.summaries.set(next.folder, { stamp: next.report?.stamp ?? '', value: await summaryOf(next) });
      }
    } finally {
      this.reading = false;
    }
  }

  private unread(): RunPlace | undefined {
    return this.places.find((place) => !this.isRead(place));
  }
}

const whenOf = ({ report, log }: RunPlace): number => Math.max(report?.changed ?? 0, log?.changed ?? 0);

const isOver = async ({ file }: Stamped): Promise<boolean> => {
  const last = (await lastLines(file)).findLast((line) => line !== '');
  const event = eventIn(last ?? '');
  return event !== undefined && endsRun(event);
};
