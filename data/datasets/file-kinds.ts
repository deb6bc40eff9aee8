/** A kind of file that holds no rows of text, by how its bytes begin, and what the user does with it. */
interface FileKind {
  readonly is: string;
  readonly advice: string;
  readonly begins: readonly (string | RegExp)[];
  /** Where the mark stands, if not at the start. */
  readonly at?: number;
  /** It holds text, which someone may ask about. */
  readonly isText?: true;
}

const unpack = 'unpack it and name the file of texts that it holds';
const asTable = 'save the sheet as "CSV UTF-8" and name that file';
const convert = 'write its rows as CSV, JSON Lines or Parquet';

/** Bytes as latin1 text. Marks are those that the formats' own specifications give. */
const kinds: readonly FileKind[] = [
  { is: 'an Apache Parquet file', advice: "write 'uses: parquet'", begins: [/^PAR1\p{Cc}/u] },
  {
    is: 'a ZIP file (so are .xlsx, .ods and .docx)',
    advice: `of a spreadsheet, ${asTable}; of an archive, ${unpack}`,
    begins: ['PK\x03\x04', 'PK\x05\x06'],
  },
  { is: 'an old Office file (.xls)', advice: asTable, begins: ['\xd0\xcf\x11\xe0'] },
  { is: 'a PDF document', advice: 'copy its texts into a table, one a row', begins: ['%PDF-'] },
  { is: 'a rich text document', advice: 'save it as plain text', begins: ['{\\rtf'] },
  {
    is: 'a web page (HTML), no table of texts',
    advice: 'download the file itself: a page in its place most often is a login or an error',
    begins: [/^\s*<(?:!doctype html|html)\b/i],
    isText: true,
  },
  { is: 'an XML document', advice: convert, begins: [/^\s*<\?xml\b/], isText: true },
  {
    is: 'a pointer of Git LFS, not the file itself',
    advice: 'fetch the file: git lfs pull',
    begins: ['version https://git-lfs'],
  },
  { is: 'a SQLite database', advice: 'export its table as CSV', begins: ['SQLite format 3\0'] },
  { is: 'an Apache Arrow file', advice: 'write it as Parquet', begins: ['ARROW1\0', /^FEA1\p{Cc}/u] },
  { is: 'an Apache Avro file', advice: convert, begins: ['Obj\x01'] },
  { is: 'an Apache ORC file', advice: 'write it as Parquet', begins: [/^ORC(?![ -~]|\s|$)/] },
  { is: 'an HDF5 file', advice: convert, begins: ['\x89HDF'] },
  { is: 'a NumPy array', advice: convert, begins: ['\x93NUMPY'] },
  {
    is: 'a pickle of Python',
    advice: `${convert}: a pickle runs code as it is read`,
    begins: ['\x80\x02', '\x80\x03', '\x80\x04', '\x80\x05'],
  },
  { is: 'a file compressed by Zstandard', advice: 'unpack it, or compress it with gzip', begins: ['\x28\xb5\x2f\xfd'] },
  { is: 'a file compressed by bzip2', advice: 'unpack it, or compress it with gzip', begins: [/^BZh[1-9]1AY/] },
  { is: 'a file compressed by xz', advice: 'unpack it, or compress it with gzip', begins: ['\xfd7zXZ\0'] },
  { is: 'a file compressed by LZ4', advice: 'unpack it, or compress it with gzip', begins: ['\x04\x22\x4d\x18'] },
  { is: 'a 7-Zip archive', advice: unpack, begins: ["7z\xbc\xaf'\x1c"] },
  { is: 'a RAR archive', advice: unpack, begins: ['Rar!\x1a\x07'] },
  { is: 'a tar archive', advice: unpack, begins: ['ustar'], at: 257 },
  {
    is: 'an image',
    advice: 'name a file of texts',
    begins: ['\x89PNG', '\xff\xd8\xff', /^GIF8[79]a/, /^RIFF.{4}WEBP/s],
  },
  { is: 'a program', advice: 'name a file of texts', begins: ['\x7fELF'] },
];

const GZIP = [0x1f, 0x8b, 0x08];

/** Gzip is read, whatever the file is called. */
export const isGzip = (head: Uint8Array): boolean => GZIP.every((byte, i) => head[i] === byte);

const matches = (head: string, { begins, at = 0 }: FileKind): boolean =>
  begins.some((mark) => (typeof mark === 'string' ? head.startsWith(mark, at) : mark.test(head)));

const MARKS_WITHIN = 512;

/** What a file is that holds no text, and what to do; undefined where nothing tells. */
export const foreignKind = (head: Uint8Array): Pick<FileKind, 'is' | 'advice' | 'isText'> | undefined => {
  const start = Buffer.from(head.subarray(0, MARKS_WITHIN))
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
  return kinds.find((kind) => matches(start, kind));
};

/** Files that say by their first bytes that they are Apache Parquet. */
export const isParquet = (head: Uint8Array): boolean => foreignKind(head) === kinds[0];
