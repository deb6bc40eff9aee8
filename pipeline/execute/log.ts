import { appendFileSync, closeSync, openSync, renameSync, statSync } from 'node:fs';
import type { Progress } from '../../ground/progress.ts';
import type { Emit } from '../events.ts';

const LARGEST_LOG = 8 * 1024 * 1024;
const LOGGED_PROGRESS_MS = 1000;

/** What of the progress is logged: something each second, and each that brings another score on validation texts. */
const progressFilter = (): ((progress: Progress, now: number) => boolean) => {
  let last = 0;
  let scored: number | undefined;
  return ({ validation }, now) => {
    const isNews = validation !== undefined && validation.score !== scored;
    if (!isNews && now - last < LOGGED_PROGRESS_MS) return false;
    [last, scored] = [now, validation?.score];
    return true;
  };
};

/**
 * Appends events to events.jsonl, of the progress as much as one reads; a log grown large is set aside. Throws where it cannot
 * be begun; a disk that fills up later ends the log, not the work that it is about.
 */
export const eventLog = (file: string): Emit => {
  try {
    if (statSync(file).size > LARGEST_LOG) renameSync(file, `${file}.old`);
  } catch {
    // There is none yet.
  }
  closeSync(openSync(file, 'a'));
  const isLogged = progressFilter();
  return (event) => {
    const now = Date.now();
    if (event.type === 'progress' && !isLogged(event.progress, now)) return;
    try {
      appendFileSync(file, `${JSON.stringify({ at: new Date(now).toISOString(), ...event })}\n`);
    } catch {
      // The results that are written last say why, if the disk is still full then.
    }
  };
};
