import { isUtf8 } from 'node:buffer';
import { Parser } from 'htmlparser2';
import PostalMime from 'postal-mime';

/** Elements whose text nobody sees. */
const hidden: ReadonlySet<string> = new Set(['head', 'script', 'style', 'title']);

/** Elements within a line: a word may go on behind their tags. */
const inline: ReadonlySet<string> = new Set(['a', 'b', 'big', 'em', 'font', 'i', 'small', 'span', 'strong', 'u']);

/** What a reader sees of an HTML page: no tags, scripts or comments, entities decoded. */
export const htmlText = (html: string): string => {
  const parts: string[] = [];
  let depth = 0;
  const parser = new Parser({
    onopentagname: (name) => {
      if (hidden.has(name)) depth++;
      else if (!inline.has(name)) parts.push('\n');
    },
    onclosetag: (name) => {
      if (hidden.has(name)) depth--;
      else if (!inline.has(name) && name !== 'br') parts.push('\n');
    },
    ontext: (text) => {
      if (depth === 0) parts.push(text);
    },
  });
  parser.end(html);
  return parts.join('');
};

/** Windows-1252 from 0x80 on. Node before 23 decodes it as Latin-1, which has control characters there. */
const windows = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

const withoutControls = (text: string): string =>
  text.replace(/[\u0080-\u009f]/g, (control) => windows[control.charCodeAt(0) - 0x80] ?? control);

/** Spaces of any kind become one; lines stay lines. */
const tidy = (text: string): string =>
  withoutControls(text)
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();

const NEWLINE = 0x0a;

/** Mailboxes put a line `From address date` before each message, which is no header. */
const withoutEnvelope = (bytes: Buffer): Buffer =>
  bytes.toString('latin1', 0, 5) === 'From ' ? bytes.subarray(bytes.indexOf(NEWLINE) + 1) : bytes;

/** Where a message says nothing of its charset and is no UTF-8, it is Windows-1252, as most programs of its time wrote. */
const withCharset = (bytes: Buffer): Buffer | string =>
  isUtf8(bytes) || /charset/i.test(bytes.toString('latin1')) ? bytes : bytes.toString('latin1');

/** Some mailers declare a page as plain text. */
const isPage = (text: string): boolean => /^\s*<[a-z!]/i.test(text);

/** The body of a message as text: headers and attachments left out, transfer encodings, charsets and HTML decoded. */
export const bodyOf = async (bytes: Buffer): Promise<string> => {
  const { text = '', html = '' } = await PostalMime.parse(withCharset(withoutEnvelope(bytes)));
  const shown = text.trim() === '' ? html : text;
  return tidy(shown === html || isPage(shown) ? htmlText(shown) : shown);
};
