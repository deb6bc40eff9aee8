import type { UserError } from '../../ground/errors.ts';
import { dataError } from '../errors.ts';

const wrong = (at: string, problem: string): UserError =>
  dataError('wrong-charsmap', `tokenizer.json: ${at}.precompiled_charsmap ${problem}: the file is damaged`);

/** The fields of a unit of a double array (Yata et al., darts-clone). */
const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1;
const leafValue = (unit: number): number => unit & 0x7fffffff;
const labelOf = (unit: number): number => (unit & 0x800000ff) >>> 0;
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & (1 << 9)) >>> 6);

/** Little-endian 32-bit units of the trie, and the replacements behind it. */
const partsOf = (at: string, base64: string): { readonly units: Uint32Array; readonly texts: Buffer } => {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '')) throw wrong(at, 'is no base64');
  const size = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
  if (size === 0 || size % 4 !== 0 || 4 + size > bytes.length) {
    throw wrong(at, `holds ${bytes.length} bytes, its trie takes ${size}`);
  }
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
  return { units, texts: bytes.subarray(4 + size) };
};

const isUtf8 = (bytes: Buffer): boolean => Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes);

/**
 * A table of characters as SentencePiece compiles it. The library follows it without looking where it leads, so every way
 * through it is walked before: units inside, replacements inside and ended by a zero.
 */
export const checkCharsmap = (at: string, base64: string): void => {
  const { units, texts } = partsOf(at, base64);
  if (!isUtf8(texts)) throw wrong(at, 'holds replacements that are no UTF-8');
  const unitAt = (index: number): number => {
    const unit = units[index];
    if (unit === undefined) throw wrong(at, `leads to unit ${index} of ${units.length}`);
    return unit;
  };
  const checkValue = (value: number): void => {
    if (value < texts.length && texts.indexOf(0, value) >= 0 && ((texts[value] ?? 0) & 0xc0) !== 0x80) return;
    throw wrong(at, `leads to byte ${value} of ${texts.length} bytes of replacements`);
  };
  const seen = new Uint8Array(units.length);
  const waiting = [0];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (seen[node] === 1) continue;
    seen[node] = 1;
    const unit = unitAt(node);
    const base = (node ^ offsetOf(unit)) >>> 0;
    unitAt((base | 0xff) >>> 0);
    if (hasLeaf(unit)) checkValue(leafValue(unitAt(base)));
    for (let byte = 1; byte < 256; byte++) {
      const next = (base ^ byte) >>> 0;
      if (labelOf(unitAt(next)) === byte) waiting.push(next);
    }
  }
};
