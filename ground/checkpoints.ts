import type { Json } from './json.ts';

/** Saved state of a step in progress, written atomically under the step's key and deleted when it is published. */
export interface Checkpoints {
  /** The newest saved state, or undefined. A damaged one counts as none. */
  load(): Promise<{ readonly meta: Json; readonly data: Uint8Array } | undefined>;
  save(meta: Json, data: readonly Uint8Array[]): Promise<void>;
  /** Keep this checkpoint when the step fails, for the user to find (a diverged run's last good state). */
  readonly folder: string;
}

/** For work that nobody will go on with: nothing is saved, and nothing found. */
export const noCheckpoints: Checkpoints = { load: async () => undefined, save: async () => undefined, folder: '' };
