import { z } from 'zod';

/** What nobody sees: spaces, control characters, and those that only steer how others are shown. */
const unseen = /[\p{Default_Ignorable_Code_Point}\p{White_Space}\p{Cc}\u2800]+/gu;

/** Whether a text shows nothing at all, whatever characters it has. */
export const isBlank = (text: string): boolean => text.replace(unseen, '') === '';

/** One spelling for those that differ in nothing that is said aloud. */
export const folded = (name: string): string => name.normalize('NFKC').replace(unseen, ' ').trim().toLowerCase();

/** How pandas, NumPy, R, databases and Hive write a value that is not there, in lower case. */
const values = [
  ...['null', 'na', 'n/a', 'n.a.', 'n.a', 'nat', '\\n', '\\null', '__hive_default_partition__'],
  ...['null', 'na', 'n/a', 'nan', 'blank', 'empty', 'missing'].flatMap((word) => [`(${word})`, `<${word}>`]),
];

/** What spreadsheets write where a formula failed, in the languages that they speak. */
const failures = [
  ...[
    '#n/a',
    '#n/a n/a',
    '#na',
    '#nv',
    '#n/d',
    '#null!',
    '#nul!',
    '#nulo!',
    '#¡nulo!',
    '#ref!',
    '#¡ref!',
    '#bezug!',
    '#rif!',
  ],
  ...[
    '#value!',
    '#valeur!',
    '#wert!',
    '#valor!',
    '#¡valor!',
    '#valore!',
    '#div/0!',
    '#¡div/0!',
    '#name?',
    '#nom?',
    '#nome?',
  ],
  ...['#¿nombre?', '#num!', '#¡num!', '#núm!', '#zahl!', '#nombre!', '#error!', '#spill!', '#calc!', '#getting_data'],
];

/** As programs of C, Fortran and Windows print what is no number. */
const noNumber = /^[+-]?(?:[sq]?nan(?:\(\w*\)|\.0)?|1\.#(?:ind|[qs]?nan))$/;

const known = new Set([...values, ...failures]);

/** Python writes None, JavaScript undefined; written otherwise they are names that people give to classes. */
const exact = ['None', 'undefined'];

const isSpelling = (label: string): boolean => {
  const name = folded(label);
  return exact.includes(label) || known.has(name) || noNumber.test(name);
};

const words =
  /^[(<[]?(?:none|nil|nul|null|na|nan|undefined|missing|blank|empty|unlabell?ed|unspecified|tbd|no (?:data|label|value))[)>\]]?$/;
const negations = /^not (?:available|applicable|specified|labell?ed|known)$/;
const marks = /^[?.\-\u2010-\u2015_/~]+$/;

/** Names that stand for a missing label as often as for a class. A minus beside a plus is a class. */
const isDoubtful = (label: string, all: readonly string[]): boolean => {
  const name = folded(label);
  if (name === '-' && all.includes('+')) return false;
  return [words, negations, marks].some((pattern) => pattern.test(name));
};

/** Options of texts and labels that are not there. */
export const missingOptions = {
  missing: z
    .enum(['refuse', 'drop'])
    .default('refuse')
    .describe('What becomes of rows without a text or a label. drop: they are left out, and the report says how many.'),
  missingValues: z
    .array(z.string())
    .optional()
    .describe(
      'Labels that stand for a missing one, beside the empty one, null and NaN of JSON and Parquet. Without it, those that programs write so, in whatever case: nan, null, NA, n/a, \\N, (blank), #N/A, #REF! and their like, and None. A list of your own takes their place and is exact: where None is a class, leave it out.',
    ),
};

export interface MissingOptions {
  readonly missing: 'refuse' | 'drop';
  readonly missingValues?: readonly string[] | undefined;
}

/** How a label spells that there is none, an empty one in no way; undefined where it is one. */
export const missingLabel = (
  label: string,
  { missingValues }: Pick<MissingOptions, 'missingValues'>,
): { readonly missing: string } | undefined => {
  if (isBlank(label)) return { missing: '' };
  const isNone = missingValues === undefined ? isSpelling(label) : missingValues.includes(label);
  return isNone ? { missing: label } : undefined;
};

/** Whether a value is missing where nobody says how that is spelled. */
export const looksMissing = (label: string): boolean => missingLabel(label, {}) !== undefined;

/** What to know of classes that may be none, or that a list of the user's own made classes. */
export const missingRemarks = (
  classes: readonly string[],
  { missingValues }: Pick<MissingOptions, 'missingValues'>,
): readonly string[] => {
  const [first, ...more] =
    missingValues === undefined
      ? classes.filter((name) => isSpelling(name) || isDoubtful(name, classes))
      : classes.filter((name) => missingValues.length > 0 && isSpelling(name));
  if (first === undefined) return [];
  const list = JSON.stringify([...(missingValues ?? []), first, ...more]);
  const names = [first, ...more].map((name) => `'${name}'`).join(', ');
  const [are, stand] = more.length === 0 ? ['is a class', 'stands'] : ['are classes', 'stand'];
  return [
    `${names} ${are} here, but often ${stand} for a missing label: where so, write missingValues: ${list}, and missing: drop to leave such rows out; where not, missingValues: [] says that every label is a class`,
  ];
};
