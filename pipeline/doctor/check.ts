import type { Patient } from './patient.ts';

/** What a check found: it is well where the number keeps within its limit, unless it says otherwise itself. */
export interface Finding {
  readonly value: number | null;
  readonly limit: number | null;
  readonly ok: boolean;
  readonly why: string;
}

/** One thing that is tried. What it throws is what stopped it. */
export interface CheckRecord {
  readonly name: string;
  /** Checks without whose results this one has nothing to look at. */
  readonly needs: readonly string[];
  run(patient: Patient): Promise<Finding>;
}

/** At most so much. */
export const atMost = (value: number, limit: number, why: string): Finding => ({
  ...{ value, limit, why },
  ok: value <= limit,
});

/** Something that was found, and is no number. */
export const found = (ok: boolean, why: string, value: number | null = null): Finding => ({
  ...{ ok, why, value, limit: null },
});
