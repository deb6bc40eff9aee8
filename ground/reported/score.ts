import { z } from 'zod';
import { isRecord } from '../records.ts';

/** What earlier versions called the score of every task, whatever its metric was. */
export const FORMER_SCORE = 'accuracy';

/** An object with a field that earlier versions called otherwise. */
export const withField = (value: unknown, key: string, former: string): unknown =>
  isRecord(value) && !(key in value) && former in value ? { ...value, [key]: value[former] } : value;

/** An object with a score, whatever version wrote it. */
export const withScore = (value: unknown): unknown =>
  isRecord(value) && value.score === undefined && FORMER_SCORE in value
    ? { ...value, score: value[FORMER_SCORE] }
    : value;

/** Reads what has a score also as earlier versions wrote it. */
export const scored = <T extends z.ZodType>(schema: T) => z.preprocess((value) => withScore(value), schema);
