import { Lexer, Parser } from 'yaml';
import { requestProblems, type Source } from '../diagnostic.ts';

/** Values inside each other: what reads them recurses, and a process whose stack ends inside V8's own code is lost. */
const DEEPEST = 100;
/** Far more than a pipeline of a hundred stages has; several checks of the parser take time by the square of them. */
const MOST_TOKENS = 60_000;

const refused = (source: Source, at: number, code: string, message: string): Error =>
  requestProblems([{ code, message, span: { source, start: at, end: at + 1 }, hints: [] }]);

/** Refuses texts of which it can be seen without building anything that no pipeline is like them. */
export const expectBounded = (source: Source): void => {
  const parser = new Parser();
  let tokens = 0;
  for (const token of new Lexer().lex(source.text)) {
    // The parser passes on what is complete; only how much is open counts here.
    Array.from(parser.next(token));
    if (parser.stack.length > DEEPEST) {
      throw refused(source, parser.offset, 'too-deep', 'values are nested too deeply to be a pipeline');
    }
    if (++tokens > MOST_TOKENS) {
      throw refused(
        source,
        parser.offset,
        'too-long',
        `the file has more than ${MOST_TOKENS} words and marks; no pipeline has as many`,
      );
    }
  }
};
