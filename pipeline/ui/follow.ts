import { lifeOf, self } from '../../ground/owner.ts';
import { eventIn } from './events.ts';
import { GrowingFile } from './lines.ts';
import { RunProgress } from './progress.ts';
import type { LiveRun } from './shapes.ts';

/** What was written a moment ago was written by somebody who lives, on whatever machine. */
const FRESH_MS = 15_000;
/** A step that says nothing for so long is none: its process id was given to another one. */
const SILENT_MS = 24 * 60 * 60 * 1000;

/** A log of events as it grows, and what it says of its run. */
export class FollowedLog {
  private readonly lines: GrowingFile;
  private reading: Promise<void> = Promise.resolve();
  progress = new RunProgress();

  constructor(file: string) {
    this.lines = new GrowingFile(file);
  }

  /** Reads what has come since the last time: one reader after the other. */
  async advance(): Promise<void> {
    this.reading = this.reading.then(() => this.read()).catch(() => undefined);
    await this.reading;
  }

  /** Whether somebody still works on the run, as far as can be told here. */
  get runs(): boolean {
    const { end, last, process: id } = this.progress;
    const silent = Date.now() - last;
    if (end !== null || silent > SILENT_MS) return false;
    return silent < FRESH_MS || lifeOf({ ...self, process: id, started: 0 }) === 'alive';
  }

  /** How far the run is, or where it was when it was killed. */
  get live(): LiveRun {
    const { live } = this.progress;
    if (live.end !== null || this.runs) return live;
    const now = 'stopped without a word: the same command goes on from there';
    return { ...live, end: 'stopped', share: null, left: '', now };
  }

  private async read(): Promise<void> {
    const begin = (): void => {
      this.progress = new RunProgress();
    };
    await this.lines.read(begin, (line) => {
      const event = eventIn(line);
      if (event !== undefined) this.progress.take(event);
    });
  }
}
