/** How the bytes of a text are to be read, and how many of them say so at its start. */
export interface Encoding {
  readonly name: 'utf-8' | 'utf-16le' | 'utf-16be';
  readonly mark: number;
}

const startsWith = (head: Uint8Array, ...bytes: readonly number[]): boolean =>
  bytes.every((byte, i) => head[i] === byte);

/** UTF-32 is named, not read: no program that people export tables with writes it. */
export const isUtf32 = (head: Uint8Array): boolean =>
  startsWith(head, 0xff, 0xfe, 0, 0) || startsWith(head, 0, 0, 0xfe, 0xff);

const LINE_ENDS = /[\n\r]/g;

/**
 * How many line ends a reading as UTF-16 finds, none where it is no such text. Half of the bytes of any other text would
 * make up characters by chance, and its line ends would lie inside of them.
 */
const lineEndsAs = (name: Encoding['name'], head: Uint8Array): number => {
  const whole = head.subarray(0, head.length - (head.length % 2));
  const text = new TextDecoder(name, { ignoreBOM: true }).decode(whole);
  return text.includes('\0') ? 0 : (text.match(LINE_ENDS)?.length ?? 0);
};

const isLineEnd = (byte: number): boolean => byte === 0x0a || byte === 0x0d;

/** UTF-16 without a mark: zero bytes, which UTF-8 text never has, and line ends where UTF-16 has them. */
const unmarked = (head: Uint8Array): Encoding['name'] => {
  if (!head.includes(0)) return 'utf-8';
  const bytes = head.reduce((count, byte) => count + Number(isLineEnd(byte)), 0);
  const names = ['utf-16le', 'utf-16be'] as const;
  return names.find((name) => 2 * lineEndsAs(name, head) > bytes) ?? 'utf-8';
};

/** Tells the encoding by a byte order mark, else by the first bytes. */
export const encodingOf = (head: Uint8Array): Encoding => {
  if (startsWith(head, 0xef, 0xbb, 0xbf)) return { name: 'utf-8', mark: 3 };
  if (startsWith(head, 0xff, 0xfe)) return { name: 'utf-16le', mark: 2 };
  if (startsWith(head, 0xfe, 0xff)) return { name: 'utf-16be', mark: 2 };
  return { name: unmarked(head), mark: 0 };
};

/** Bytes from the start that end with a whole character of UTF-8. */
const wholeUtf8 = (bytes: Uint8Array): number => {
  const last = bytes.findLastIndex((byte) => (byte & 0xc0) !== 0x80);
  return (bytes[last] ?? 0) < 0x80 ? last + 1 : last;
};

/** Bytes from the start that end with a whole character of UTF-16: no half of a unit, no first half of a pair. */
const wholeUtf16 = (bytes: Uint8Array, high: number): number => {
  const even = bytes.length - (bytes.length % 2);
  const unit = bytes[even - 2 + high] ?? 0;
  return (unit & 0xfc) === 0xd8 ? even - 2 : even;
};

const LONGEST_CHARACTER = 4;

/** How many bytes can be decoded by themselves; what is left belongs to the next ones. Of broken bytes, nothing is left. */
export const wholeCharacters = (bytes: Uint8Array, { name }: Encoding): number => {
  const whole = name === 'utf-8' ? wholeUtf8(bytes) : wholeUtf16(bytes, name === 'utf-16le' ? 1 : 0);
  return bytes.length - whole < LONGEST_CHARACTER ? whole : bytes.length;
};
