import { clipped, listed } from '../ground/names.ts';
import { dataError, others } from './errors.ts';

/** Of files that are named together, and folders of texts. */
export const sourceErrors = {
  noMatch: (pattern: string, base: string) =>
    dataError('no-match', `no file matches ${pattern} (looked from ${base}); correct the pattern`),
  noFolder: (name: string) =>
    dataError(
      'no-folder',
      `${name} is a file; expected a folder with one folder a class; for a table, write uses: csv`,
    ),
  linkedFolder: (path: string) =>
    dataError('linked-folder', `${path} is a link to a folder; put the folder itself in its place, or name it`),
  strayText: (at: string, folder: string, name: string) =>
    dataError('stray-text', `${at} lies in no folder of a class; expected ${folder}/CLASS/${name}: move or remove it`),
  noTexts: (folder: string, others: readonly string[], of: { readonly ending: string; readonly one: string }) =>
    dataError(
      'no-texts',
      `${folder} has no ${of.ending} file${others.length === 0 ? '' : `, but ${listed(others, 3)}`}; expected one ${of.one} a ${of.ending} file`,
    ),
  readTwice: (file: string, key: string, other: string) =>
    dataError(
      'read-twice',
      `${file} is read for '${other}' and for '${key}': what is trained on cannot be judged by; name it once, or leave it out of a pattern: [..., '!${file}']`,
    ),
  otherColumns: (file: string, than: string, key: string, lacking: readonly string[], more: readonly string[]) => {
    const lacks = lacking.length === 0 ? [] : [`lacks ${listed(lacking, 6)}, which ${than} has`];
    const has = more.length === 0 ? [] : [`has ${listed(more, 6)}, which ${than} lacks`];
    return dataError(
      'other-columns',
      `${file} ${[...lacks, ...has].join(', and ')}; files of one '${key}' need the same columns: correct or remove one of them`,
    );
  },
};

/** Of columns that decide where texts go. */
export const splitErrors = {
  emptyCell: (
    at: string,
    count: number,
    { column, key, spelled }: { readonly column: string; readonly key: string; readonly spelled: string },
  ) =>
    dataError(
      'empty-cell',
      `${at}: column '${column}' (${key}) is ${spelled === '' ? 'empty' : `'${spelled}', which stands for a missing value`}${others(count, 'row')}; fill it in, or leave such rows out with missing: drop${spelled === '' ? '' : `, or, where '${spelled}' is a name, write missingValues: []`}`,
    ),
  noTime: (at: string, column: string, found: string) =>
    dataError(
      'no-time',
      `${at}: '${clipped(found)}' in column '${column}' is no time; expected one such as 2024-05-31, 2024-05-31 18:30:00 or 2024-05-31T18:30:00Z, or a number that grows`,
    ),
  otherTime: (at: string, column: string, form: string, first: string, firstForm: string) =>
    dataError(
      'other-time',
      `${at}: column '${column}' has ${form}, and ${firstForm} at ${first}; these have no order: write all in one form`,
    ),
  fewTimes: (found: number, wanted: number) =>
    dataError(
      'few-times',
      `the texts are from ${found} different time${found === 1 ? '' : 's'}, and texts of one time stay together; expected at least ${wanted}, one a split: name a column with finer times as 'splitByTime'`,
    ),
  sharedGroup: (at: string, split: string, other: { readonly at: string; readonly split: string }, group: string) =>
    dataError(
      'shared-group',
      `${at}: the group '${clipped(group)}' is in the ${split} split, and at ${other.at} in the ${other.split} split; move its rows to one of them, or let groupBy draw the splits: name one 'file', without 'splitColumn'`,
    ),
};
