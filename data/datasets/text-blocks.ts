import { dataErrors } from '../errors.ts';
import { type Source, sourceBytes } from './bytes.ts';
import { type Encoding, encodingOf, isUtf32, wholeCharacters } from './encoding.ts';
import { foreignKind, isGzip } from './file-kinds.ts';
import { oldEncoding } from './old-encodings.ts';

const newlinesIn = (text: string): number => {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
};

/** Line feeds are whole bytes of UTF-8, so lines can be told apart before decoding. */
const badLine = (bytes: Uint8Array, first: number): number => {
  const text = new TextDecoder('utf-8').decode(bytes);
  return first + newlinesIn(text.slice(0, text.indexOf('\ufffd')));
};

/** Texts that come by themselves may be about anything: only a table of them begins like no page and no document. */
const refuseForeign = (head: Buffer, source: Source): void => {
  const { shown } = source;
  if (isUtf32(head)) throw dataErrors.foreignFile(shown, 'a text in UTF-32', 'save it as UTF-8');
  if (isGzip(head)) throw dataErrors.foreignFile(shown, 'gzip within gzip', 'unpack it once (gunzip)');
  const kind = foreignKind(head);
  if (kind !== undefined && !('stream' in source && kind.isText === true))
    throw dataErrors.foreignFile(shown, kind.is, kind.advice);
};

/** Decodes piece by piece, a character never in two of them, and counts lines for messages. */
class TextReader {
  readonly #shown: string;
  readonly #encoding: Encoding;
  readonly #decoder: InstanceType<typeof TextDecoder>;
  #rest: Buffer = Buffer.alloc(0);
  #line = 1;

  constructor(shown: string, encoding: Encoding) {
    this.#shown = shown;
    this.#encoding = encoding;
    this.#decoder = new TextDecoder(encoding.name, { fatal: true, ignoreBOM: true });
  }

  piece(chunk: Buffer): string {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = wholeCharacters(bytes, this.#encoding);
    this.#rest = bytes.subarray(end);
    return this.#decoded(bytes.subarray(0, end));
  }

  end(): string {
    return this.#decoded(this.#rest);
  }

  #decoded(bytes: Buffer): string {
    const text = this.#text(bytes);
    const zero = text.indexOf('\0');
    if (zero >= 0) throw dataErrors.zeroByte(`${this.#shown}:${this.#line + newlinesIn(text.slice(0, zero))}`);
    this.#line += newlinesIn(text);
    return text;
  }

  #text(bytes: Buffer): string {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      const { name } = this.#encoding;
      throw name === 'utf-8'
        ? dataErrors.notUtf8(`${this.#shown}:${badLine(bytes, this.#line)}`, oldEncoding(bytes))
        : dataErrors.brokenUtf16(`${this.#shown}:${this.#line}`);
    }
  }
}

async function* decodedPieces(source: Source): AsyncGenerator<string> {
  let reader: TextReader | undefined;
  for await (const chunk of sourceBytes(source)) {
    if (reader === undefined) {
      refuseForeign(chunk, source);
      const encoding = encodingOf(chunk);
      reader = new TextReader(source.shown, encoding);
      yield reader.piece(chunk.subarray(encoding.mark));
    } else yield reader.piece(chunk);
  }
  if (reader !== undefined) yield reader.end();
}

/** A line feed ends a line, with or without a carriage return before it; in files that have none, a carriage return does. */
const lineEndsOf = (first: string): RegExp => (first.includes('\n') || !first.includes('\r') ? /\r\n/g : /\r\n?/g);

/**
 * Streams the text of a source: UTF-8 or UTF-16 as its first bytes say, unpacked where it is gzip, the byte order mark
 * dropped, every line end a line feed.
 */
export async function* textBlocks(source: Source): AsyncGenerator<string> {
  let ends: RegExp | undefined;
  let held = '';
  for await (const piece of decodedPieces(source)) {
    ends ??= lineEndsOf(piece);
    const text = held + piece;
    // A carriage return at the end of a piece may be half of a line end.
    held = text.endsWith('\r') ? '\r' : '';
    const whole = text.slice(0, text.length - held.length).replace(ends, '\n');
    if (whole !== '') yield whole;
  }
  if (held !== '') yield ends?.source === '\\r\\n?' ? '\n' : held;
}

/** No row of a real table is longer than this many characters; what seems to be has lost its line ends or its quotes. */
export const LONGEST_ROW = 2 ** 24;

/** All of a source as one text; `tooLong` is thrown where it has more than so many characters. */
export const wholeText = async (source: Source, most: number, tooLong: () => Error): Promise<string> => {
  const blocks: string[] = [];
  let length = 0;
  for await (const block of textBlocks(source)) {
    blocks.push(block);
    length += block.length;
    if (length > most) throw tooLong();
  }
  return blocks.join('');
};

/** The lines of a source, each with its number. */
export async function* textLines(source: Source): AsyncGenerator<{ readonly line: number; readonly text: string }> {
  let line = 1;
  let rest: string[] = [];
  let length = 0;
  for await (const block of textBlocks(source)) {
    const [first = '', ...others] = block.split('\n');
    rest.push(first);
    length += first.length;
    if (length > LONGEST_ROW) throw dataErrors.longRow(`${source.shown}:${line}`, LONGEST_ROW);
    for (const next of others) {
      yield { line: line++, text: rest.join('') };
      rest = [next];
      length = next.length;
    }
  }
  yield { line, text: rest.join('') };
}
