import { askModule, moduleBeside } from '../../data/process.ts';

/** Updates of a model that lies in a folder of a stage, on texts of one length. */
export interface UpdatesAsked {
  readonly folder: string;
  readonly batch: number;
  readonly length: number;
  readonly threads: number;
  readonly recompute: boolean;
}

/** What they took. */
export interface UpdatesTaken {
  /** Milliseconds of computing of one update. */
  readonly milliseconds: number;
  /** The most memory that the process held. */
  readonly peakBytes: number;
}

const isTaken = (answer: unknown): answer is UpdatesTaken =>
  typeof answer === 'object' && answer !== null && 'peakBytes' in answer;

/** Trains a model for some updates in a process of its own; what that printed at its end where it could not. */
export const takeUpdates = async (asked: UpdatesAsked, signal: AbortSignal): Promise<UpdatesTaken | string> => {
  const entry = moduleBeside(import.meta.url, 'updates-process');
  const { answer, printed, ended } = await askModule(entry, asked, { signal });
  signal.throwIfAborted();
  return isTaken(answer) ? answer : `${printed.trim().split('\n').at(-1) ?? ''} (${ended})`;
};
