import { userErrors } from '../../ground/errors.ts';
/** What is wrong with a header, and where in its text. */
export const headerError = userErrors('header');

const ZERO = '0'.charCodeAt(0);
/** Digits of the largest integer that a double holds exactly. */
const LONGEST_INTEGER = 16;

const isWhitespace = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;

/**
 * Reads JSON of a known form piece by piece. JSON.parse would build whatever the file asks for, deep nesting and repeated
 * keys included; here what is not expected ends the reading at once.
 */
export class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get ended(): boolean {
    this.#skip();
    return this.#at === this.#text.length;
  }

  fail(expected: string): never {
    const found = this.#at < this.#text.length ? JSON.stringify(this.#text.slice(this.#at, this.#at + 20)) : 'its end';
    throw headerError(`expected ${expected} at character ${this.#at} of the header, found ${found}`);
  }

  /** Takes the character if it is next. */
  takes(character: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  expect(character: string): void {
    if (!this.takes(character)) this.fail(`'${character}'`);
  }

  string(what: string): string {
    this.#skip();
    const start = this.#at;
    if (this.#text[start] !== '"') this.fail(what);
    let end = this.#text.indexOf('"', start + 1);
    while (end >= 0 && this.#escaped(start, end)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) this.fail(`${what} that ends`);
    const text = this.#unescaped(start, end + 1) ?? this.fail(what);
    this.#at = end + 1;
    return text;
  }

  /** A whole number that a double holds exactly. */
  integer(what: string): number {
    this.#skip();
    let number = 0;
    let at = this.#at;
    for (; at - this.#at < LONGEST_INTEGER && this.#isDigit(at); at++) {
      number = 10 * number + this.#text.charCodeAt(at) - ZERO;
    }
    if (at === this.#at || !Number.isSafeInteger(number) || this.#isDigit(at)) this.fail(what);
    this.#at = at;
    return number;
  }

  /** `item` between brackets, commas between them. */
  list(open: string, close: string, item: () => void): void {
    this.expect(open);
    if (this.takes(close)) return;
    do item();
    while (this.takes(','));
    this.expect(close);
  }

  /** An object whose keys are each there once; `entry` reads the value of a key. */
  object(what: string, entry: (key: string) => void): ReadonlySet<string> {
    const keys = new Set<string>();
    this.list('{', '}', () => {
      const key = this.string(what);
      if (keys.has(key)) throw headerError(`the header has two entries called '${key}'`);
      keys.add(key);
      this.expect(':');
      entry(key);
    });
    return keys;
  }

  /** The text between quotes; undefined where an escape is wrong or a control character stands in it. */
  #unescaped(start: number, end: number): string | undefined {
    const quoted = this.#text.slice(start, end);
    if (!/[\\\p{Cc}]/u.test(quoted)) return quoted.slice(1, -1);
    try {
      return String(JSON.parse(quoted));
    } catch {
      return undefined;
    }
  }

  #escaped(start: number, quote: number): boolean {
    let slashes = 0;
    while (quote - 1 - slashes > start && this.#text[quote - 1 - slashes] === '\\') slashes++;
    return slashes % 2 === 1;
  }

  #isDigit(at: number): boolean {
    const code = this.#text.charCodeAt(at);
    return code >= ZERO && code < ZERO + 10;
  }

  #skip(): void {
    while (isWhitespace(this.#text.charCodeAt(this.#at))) this.#at++;
  }
}
