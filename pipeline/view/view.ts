import type { Emit } from '../events.ts';

/** Shows a run to people. `close` leaves the terminal as it was. */
export interface View {
  readonly emit: Emit;
  close(): Promise<void>;
}
