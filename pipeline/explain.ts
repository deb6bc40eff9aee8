import { CommanderError } from 'commander';
import { isUserError } from '../ground/errors.ts';
import { jsonForPeople, manyLines } from '../reports/text.ts';
import { exit } from './commands/common.ts';
import { type Diagnostic, positionOf, RequestError, renderDiagnostics } from './diagnostic.ts';
import { failureOf } from './execute/perform.ts';

/** What went wrong, as machines read it where they asked for JSON. */
export interface Failure {
  /** Name of the kind of error; 'bug' where it is none of the user's. */
  readonly code: string;
  readonly message: string;
  readonly exitCode: number;
  readonly problems?: readonly unknown[];
}

const problemOf = ({ code, message, span, hints }: Diagnostic): unknown => {
  const { line, column } = positionOf(span.source, span.start);
  return { code, message, file: span.source.name, line, column, hints };
};

const requested = (error: RequestError): Failure => {
  const { diagnostics, message } = error;
  const told = diagnostics.length > 0 ? renderDiagnostics(diagnostics) : message;
  const problems = diagnostics.length > 0 ? { problems: diagnostics.map(problemOf) } : {};
  return { code: error.name, message: manyLines(told), exitCode: exit.wrong, ...problems };
};

/** The one place that tells what the user can mend from bugs, for every command: bugs keep their stack. */
export const failureIn = (error: unknown): Failure => {
  if (error instanceof CommanderError) {
    const exitCode = error.exitCode === 0 ? exit.done : exit.wrong;
    return { code: error.code, message: error.message.replace(/^error: /, ''), exitCode };
  }
  if (error instanceof RequestError) return requested(error);
  const outcome = failureOf(error);
  if (outcome.kind !== 'failed') return { code: 'aborted', message: '', exitCode: exit.failed };
  if (!outcome.theirs) return { code: 'bug', message: outcome.detail, exitCode: exit.failed };
  const exitCode = isUserError(error) && error.blames === 'request' ? exit.wrong : exit.failed;
  return { code: error instanceof Error ? error.name : 'Error', message: outcome.message, exitCode };
};

/** Whether a command line asks for a JSON document on standard output. */
const wantsJson = (args: readonly string[]): boolean => {
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  const format = options.indexOf('--format');
  return options.includes('--json') || options.includes('--format=json') || options[format + 1] === 'json';
};

/** The words on standard error; for machines an object in place of the document that they asked for. */
export const tell = (failure: Failure, args: readonly string[]): void => {
  if (failure.exitCode === exit.done) return;
  if (!failure.code.startsWith('commander.')) process.stderr.write(`${failure.message}\n`);
  if (wantsJson(args)) process.stdout.write(jsonForPeople({ error: failure }));
};
