import { weightBytes } from '../../graph/codec/index.ts';
import { isRefusal, isUserError, messageOf } from '../../ground/errors.ts';
import { type Foreign, withForeign } from '../api/foreign.ts';
import type { Check } from '../api/types/graphs.ts';
import type { CheckRecord } from './check.ts';
import type { Question, Said } from './messages.ts';
import { checkNames } from './names.ts';
import type { Patient } from './patient.ts';

/** A check that came to no finding. */
const stopped = (name: string, why: string): Check => ({ name, ok: false, value: null, limit: null, why });

/** What the user can read; of a bug, that it is one. */
const reasonOf = (error: unknown): string =>
  isRefusal(error) ? error.message : `a bug of decant: ${messageOf(error)}`;

/** Numbers that JSON has no word for are none. */
const finite = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);

const checked = async ({ name, run }: CheckRecord, patient: Patient): Promise<Check> => {
  try {
    const { ok, value, limit, why } = await run(patient);
    const broken = value !== null && !Number.isFinite(value) ? 'answers of other shapes, or no numbers; ' : '';
    return { name, ok, value: finite(value), limit, why: `${broken}${why}` };
  } catch (error) {
    return stopped(name, reasonOf(error));
  }
};

/** The first check that a check needs and that came to nothing, or to nothing good. */
const missing = ({ needs }: CheckRecord, done: readonly Check[]): string | undefined =>
  needs.find((name) => done.some((check) => check.name === name && !check.ok && check.value === null));

const examined = async (foreign: Foreign, question: Question, say: (said: Said) => void): Promise<void> => {
  const { threads, inputs, folder, known } = question;
  say({ type: 'weights', bytes: weightBytes(foreign.given) });
  // A file that cannot be read is refused before the runtime and all that the checks need are loaded.
  const [{ checks }, { patientOf }] = await Promise.all([import('./checks/index.ts'), import('./patient.ts')]);
  const patient = patientOf(foreign, { threads, inputs, folder });
  const done: Check[] = [...known];
  for (const record of checks) {
    if (done.some(({ name }) => name === record.name)) continue;
    const before = missing(record, done);
    if (before === undefined) say({ type: 'began', name: record.name });
    const check =
      before === undefined ? await checked(record, patient) : stopped(record.name, `not tried: ${before} failed`);
    done.push(check);
    say({ type: 'checked', check });
  }
};

/** Tries everything with one model, and says what came of each as soon as it is known. */
export const examine = async (question: Question, say: (said: Said) => void): Promise<void> => {
  const { model, offline, download } = question;
  say({ type: 'began', name: checkNames[0] ?? '' });
  try {
    await withForeign(model, { work: download, offline }, (foreign) => examined(foreign, question, say));
  } catch (error) {
    if (!isUserError(error)) throw error;
    say({ type: 'unreadable', why: error.message });
  }
  say({ type: 'done' });
};
