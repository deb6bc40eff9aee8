import { firstFew } from '../ground/names.ts';
import type { RunSummary } from './record.ts';
import type { Report } from './report.ts';
import { oneLine, shortened } from './text.ts';

type Unfinished = NonNullable<Report['unfinished']>;

/** What a run fell short of; records of earlier versions tell the stages alone. */
export const unfinishedOf = ({ failed, missing, stages }: RunSummary): Unfinished | undefined => {
  const absent = missing ?? stages.filter(({ step }) => step === null).map(({ id }) => id);
  if (failed === undefined && absent.length === 0) return undefined;
  return { step: failed?.step ?? null, message: failed?.message ?? null, missing: absent };
};

const LONGEST_MESSAGE = 300;
const MOST_NAMED = 12;

const endOf = ({ step, message }: Unfinished, until: string | undefined): string => {
  if (step !== null) return `it failed in ${oneLine(step)} (${shortened(oneLine(message ?? ''), LONGEST_MESSAGE)})`;
  return until === undefined ? 'it ended before its end' : `it ended after ${oneLine(until)}, as --until asked`;
};

/** What is said first of a run that has not all that its file asks for, in plain text; undefined of a whole one. */
export const unfinishedSentence = ({
  unfinished,
  pipeline,
}: Pick<Report, 'unfinished' | 'pipeline'>): string | undefined =>
  unfinished === undefined
    ? undefined
    : `This run is unfinished: ${endOf(unfinished, pipeline.until)}. Missing: ${firstFew(unfinished.missing.map(oneLine), MOST_NAMED)}.`;
