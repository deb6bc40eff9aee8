import type { Ref, Wiring } from '../stage.ts';
import { looksInside } from './entries.ts';
import type { DistillationConfig } from './options.ts';
import { type Taught, teacherIdsOf } from './teachers.ts';

/** What says who teaches, and by which losses. */
export interface Looking extends Taught {
  readonly losses?: DistillationConfig['losses'];
  readonly hidden?: object | undefined;
}

/** Teachers that losses look into, by the name of the input that each comes in by. */
export const lookedInto = (taught: Looking): ReadonlyMap<string, string> => {
  const [only, ...more] = teacherIdsOf(taught);
  const named = (taught.losses ?? []).flatMap((entry) => (looksInside(entry) ? (entry.teacher ?? []) : []));
  const ids = more.length === 0 ? [only ?? ''] : [...new Set(named)];
  return new Map(ids.map((id, at) => [id, at === 0 ? 'teacher' : `teacher-${at + 1}`]));
};

const either = (ids: readonly string[]): string => ids.map((id) => `teacher: ${id}`).join(' or ');

/** The teachers that take part in the steps for what they compute inside: of several each loss says which. */
export const wireLooked = (
  taught: Looking,
  models: readonly Ref[],
  wiring: Wiring,
  path: readonly string[],
): Readonly<Record<string, Ref>> => {
  const ids = teacherIdsOf(taught);
  const several = ids.length > 1;
  if (several && taught.hidden !== undefined) {
    const message = `hidden looks into one teacher, and there are several: write { uses: hidden, ${either(ids)} } into losses`;
    wiring.problem([...path, 'hidden'], message);
  }
  for (const [at, entry] of (taught.losses ?? []).entries()) {
    if (!looksInside(entry)) continue;
    if (several && entry.teacher === undefined) {
      const message = `the loss '${entry.uses}' looks into one teacher, and there are several: say ${either(ids)}`;
      wiring.problem([...path, 'losses', at], message);
    }
    if (entry.teacher !== undefined && !ids.includes(entry.teacher)) {
      const message = `"${entry.teacher}" is no teacher here; expected ${ids.join(' or ')}`;
      wiring.problem([...path, 'losses', at, 'teacher'], message);
    }
  }
  if (taught.hidden === undefined && !(taught.losses ?? []).some(looksInside)) return {};
  return Object.fromEntries(
    [...lookedInto(taught)].flatMap(([id, name]) => {
      const model = models[ids.indexOf(id)];
      return model === undefined ? [] : [[name, model] as const];
    }),
  );
};
