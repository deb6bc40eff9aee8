/** An encoding from before UTF-8: the letters that most of its texts are made of, by which it is recognised. */
interface OldEncoding {
  readonly label: string;
  readonly called: string;
  readonly letters: RegExp;
}

/** In the order in which they are tried: what later ones find, earlier ones find in noise only. */
const encodings: readonly OldEncoding[] = [
  { label: 'shift_jis', called: 'Shift-JIS', letters: /[\u3040-\u30ff]/g },
  { label: 'euc-jp', called: 'EUC-JP', letters: /[\u3040-\u30ff]/g },
  { label: 'windows-1251', called: 'Windows-1251', letters: /[\u0430-\u044f\u0451\u0454\u0456\u0457]/g },
  { label: 'koi8-r', called: 'KOI8-R', letters: /[\u0430-\u044f]/g },
  { label: 'windows-1253', called: 'Windows-1253', letters: /[\u03ac-\u03ce]/g },
  { label: 'euc-kr', called: 'EUC-KR', letters: /[\uac00-\ud7a3]/g },
  { label: 'gb18030', called: 'GB18030 (GBK)', letters: /[\u3001-\u3002\u4e00-\u9fff\uff01-\uff1f]/g },
  { label: 'big5', called: 'Big5', letters: /[\u3001-\u3002\u4e00-\u9fff\uff01-\uff1f]/g },
];

const beyondAscii = /[^\p{ASCII}]/gu;

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

/** Share of an encoding's own letters among all that is not ASCII; 0 where the bytes are none of its texts. */
const shareOf = ({ label, letters }: OldEncoding, bytes: Uint8Array): number => {
  const text = new TextDecoder(label).decode(bytes);
  const others = count(text, beyondAscii);
  // The last character may be cut.
  return count(text, /\ufffd/g) > 1 || others === 0 ? 0 : count(text, letters) / others;
};

/** Kana stand beside ideographs; lower case, syllables and ideographs are nearly all there is. */
const leastShare = ({ label }: OldEncoding): number => (label === 'shift_jis' || label === 'euc-jp' ? 0.3 : 0.75);

/** Accented letters of western languages stand alone or in twos between others; words of other scripts are longer. */
const isWestern = (bytes: Uint8Array): boolean => {
  const runs =
    Buffer.from(bytes)
      .toString('latin1')
      .match(/[\x80-\xff]+/g) ?? [];
  const lengths = runs.map(({ length }) => length);
  const short = lengths.filter((length) => length <= 2).reduce((sum, length) => sum + length, 0);
  return 2 * short >= lengths.reduce((sum, length) => sum + length, 0);
};

const LOOKED_AT = 64 * 1024;

/** What bytes most likely are that are no UTF-8. */
export const oldEncoding = (all: Uint8Array): string => {
  const first = all.findIndex((byte) => byte >= 0x80);
  const bytes = all.subarray(Math.max(0, first), Math.max(0, first) + LOOKED_AT);
  const kana = encodings.slice(0, 2).find((one) => shareOf(one, bytes) >= leastShare(one));
  if (kana !== undefined) return kana.called;
  if (isWestern(bytes)) return 'Latin-1 or Windows-1252';
  const [best] = encodings
    .slice(2)
    .map((one) => ({ one, share: shareOf(one, bytes) }))
    .filter(({ one, share }) => share >= leastShare(one))
    .toSorted((a, b) => b.share - a.share);
  return best?.one.called ?? 'another encoding, older than UTF-8';
};
