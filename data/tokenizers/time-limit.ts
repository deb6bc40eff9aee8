import { type Context, createContext, Script } from 'node:vm';
import { DataError } from '../errors.ts';
import type { TokenizerJson } from '../tokenizer.ts';
import { partOf } from './parts.ts';

/** Any sound pattern is through with a text in a fraction of it, on a machine that is busy with other things too. */
const limitFor = (text: string): number => 2000 + text.length / 1000;

/**
 * Nothing repeated but what ends the pattern, no choices: these match in one go. All others run under the limit, which costs
 * 0.04 ms a text, since what a pattern may do on some text cannot be told from its form alone.
 */
const simple = /^[^*+?{}()|]*(?:[*+]|\{\d+(?:,\d*)?\})?$/;

const isSimple = (pattern: string): boolean => pattern.length === 0 || simple.test(pattern);

/** Every regular expression in a part of tokenizer.json, however deep. */
const patternsIn = (json: unknown): readonly string[] => {
  if (typeof json !== 'object' || json === null) return [];
  const { Regex } = partOf(json);
  return [...(typeof Regex === 'string' ? [Regex] : []), ...Object.values(json).flatMap(patternsIn)];
};

/** The regular expressions of a tokenizer.json that might backtrack without end on some text. */
export const riskyPatterns = ({ normalizer, pre_tokenizer }: TokenizerJson): readonly string[] =>
  [normalizer, pre_tokenizer].flatMap(patternsIn).filter((pattern) => !isSimple(pattern));

interface Sandbox extends Context {
  work?: () => void;
}

/** A matching regular expression can be interrupted only where Node watches a script's time. */
const call = new Script('work()');
let sandbox: Sandbox | undefined;

const isTimeout = (error: unknown): boolean => partOf(error).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';

const LONGEST_SHOWN = 100;

const slow = (patterns: readonly string[], seconds: number, text: string): DataError => {
  const shown = patterns.map((pattern) => `'${pattern.slice(0, LONGEST_SHOWN)}'`).join(', ');
  return new DataError(
    'slow-pattern',
    `tokenizer.json: after ${seconds.toFixed(1)} seconds its patterns (${shown}) were not through with a text of ${text.length} characters ` +
      `(${JSON.stringify(text.slice(0, LONGEST_SHOWN))}): one of them repeats what is repeated already; write it without, or take another tokenizer`,
  );
};

/** What a part of a tokenizer with these patterns makes of a text, or an error that names them where none sound takes so long. */
export const withinLimit = <T>(patterns: readonly string[], text: string, work: () => T): T => {
  const limit = limitFor(text);
  sandbox ??= createContext({});
  let result: { readonly value: T } | undefined;
  sandbox.work = () => {
    result = { value: work() };
  };
  try {
    call.runInContext(sandbox, { timeout: Math.ceil(limit) });
  } catch (error) {
    throw isTimeout(error) ? slow(patterns, limit / 1000, text) : error;
  }
  if (result === undefined) throw new Error('a tokenizer came to no end');
  return result.value;
};
