import { CommanderError } from 'commander';
import { isUserError } from '../ground/errors.ts';
import { jsonForPeople, manyLines } from '../reports/text.ts';
import { exit } from './commands/common.ts';
import { failureOf } from './execute/failure.ts';

/** What went wrong, as machines read it where they asked for JSON. */
export interface Failure {
  /** Stable name of the problem; 'bug' where it is none of the user's. */
  readonly code: string;
  readonly message: string;
  readonly exitCode: number;
  /** Every single problem, where there are several. */
  readonly problems?: unknown;
  /** Where a run stopped. */
  readonly step?: string;
  readonly variant?: string;
  readonly seed?: number;
}

/** The one place that tells what the user can mend from bugs, for every command: bugs keep their stack. */
export const failureIn = (error: unknown): Failure => {
  if (error instanceof CommanderError) {
    const exitCode = error.exitCode === 0 ? exit.done : exit.wrong;
    return { code: error.code, message: error.message.replace(/^error: /, ''), exitCode };
  }
  // All problems of a file are the answer, however many there are.
  if (isUserError(error) && 'problems' in error.facts) {
    const { code, facts, message } = error;
    return { code, message: manyLines(message), exitCode: exit.wrong, ...facts };
  }
  const outcome = failureOf(error);
  if (outcome.kind !== 'failed') return { code: 'aborted', message: '', exitCode: exit.failed };
  const { code } = outcome;
  if (!outcome.theirs) return { code, message: outcome.detail, exitCode: exit.failed };
  const exitCode = isUserError(error) && error.blames === 'request' ? exit.wrong : exit.failed;
  return { code, message: outcome.message, exitCode };
};

/** Whether a command line asks for a JSON document on standard output. */
const wantsJson = (args: readonly string[]): boolean => {
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  const isFormat = options.some((option, i) => option === '--format' && options[i + 1] === 'json');
  return options.includes('--json') || options.includes('--format=json') || isFormat;
};

/** The words on standard error; for machines an object in place of the document that they asked for. */
export const tell = (failure: Failure, args: readonly string[]): void => {
  if (failure.exitCode === exit.done) return;
  if (!failure.code.startsWith('commander.')) process.stderr.write(`${failure.message}\n`);
  if (wantsJson(args)) process.stdout.write(jsonForPeople({ error: failure }));
};
