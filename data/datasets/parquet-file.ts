import { type AsyncBuffer, type Compressors, type FileMetaData, parquetMetadataAsync, parquetSchema } from 'hyparquet';
import { compressors as decompressors } from 'hyparquet-compressors';
import { z } from 'zod';
import { refusal, refusedOr } from '../../ground/errors.ts';

/** An open Parquet file whose footer agrees with its bytes. */
export interface ParquetFile {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: readonly string[];
}

/** What a file may claim, so that a damaged or hostile one cannot ask for more memory than a real one. */
const MOST_ROWS_A_GROUP = 2 ** 24;
const MOST_BYTES_A_PAGE = 2 ** 28;
const MAGIC = 'PAR1';

type Decompress = NonNullable<Compressors[keyof Compressors]>;

const bounded =
  (decompress: Decompress): Decompress =>
  (input, length) => {
    if (length > MOST_BYTES_A_PAGE) throw refusal(`a page claims ${length} bytes after decompression`);
    const output = decompress(input, length);
    if (output.length !== length) throw refusal(`a page has ${output.length} bytes instead of ${length}`);
    return output;
  };

export const compressors: Compressors = Object.fromEntries(
  Object.entries(decompressors).map(([codec, decompress]) => [codec, bounded(decompress)]),
);

const expectMagic = async (file: AsyncBuffer): Promise<void> => {
  if (file.byteLength < 2 * MAGIC.length) throw refusal(`it has ${file.byteLength} bytes`);
  const [head, tail] = await Promise.all([file.slice(0, 4), file.slice(file.byteLength - 4)]);
  if (Buffer.from(head).toString('latin1') !== MAGIC) throw refusal(`it does not begin with ${MAGIC}`);
  if (Buffer.from(tail).toString('latin1') !== MAGIC) throw refusal(`it does not end with ${MAGIC}: it was cut`);
};

type Group = FileMetaData['row_groups'][number];

const checkChunk = ({ file_path, meta_data }: Group['columns'][number], size: number): void => {
  if (file_path !== undefined) throw refusal('its columns are in other files');
  if (meta_data === undefined) throw refusal('a column has no metadata');
  const start = meta_data.dictionary_page_offset || meta_data.data_page_offset;
  if (start < 4n || meta_data.total_compressed_size < 0n || start + meta_data.total_compressed_size > BigInt(size)) {
    throw refusal(`column '${meta_data.path_in_schema.join('.')}' lies outside of the file`);
  }
};

/** The footer's figures against each other and the file's size, before anything is read by them. */
const checkLayout = ({ row_groups, num_rows }: FileMetaData, size: number): void => {
  let rows = 0n;
  for (const group of row_groups) {
    if (group.num_rows < 0n || group.num_rows > BigInt(MOST_ROWS_A_GROUP)) {
      throw refusal(`a row group claims ${group.num_rows} rows; up to ${MOST_ROWS_A_GROUP} are read`);
    }
    rows += group.num_rows;
    for (const chunk of group.columns) checkChunk(chunk, size);
  }
  if (rows !== num_rows) throw refusal(`its row groups have ${rows} rows, the file ${num_rows}`);
};

const footerOf = async (file: AsyncBuffer): Promise<ParquetFile> => {
  await expectMagic(file);
  const metadata = await parquetMetadataAsync(file, { geoparquet: false });
  checkLayout(metadata, file.byteLength);
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
  if (columns.some((name) => typeof name !== 'string')) throw refusal('a column has no name');
  return { file, metadata, columns };
};

/** Reads and checks the footer; a refusal where it is none. Damaged bytes have any types, whatever the library declares. */
export const openParquet = (file: AsyncBuffer): Promise<ParquetFile> => refusedOr(() => footerOf(file));

const classLabel = z.object({ _type: z.literal('ClassLabel'), names: z.array(z.string()) });
/** One class a row, or several: a list of them as its versions have written it. */
const ofRow = z.union([
  classLabel,
  z
    .object({ _type: z.enum(['Sequence', 'List', 'LargeList']), feature: classLabel })
    .transform(({ feature }) => feature),
  z.tuple([classLabel]).transform(([feature]) => feature),
]);
const declared = z.object({ info: z.object({ features: z.record(z.string(), z.unknown()) }) });

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
};

/** Class names that Hugging Face's datasets library wrote beside a column of integers, or of lists of them, in their order. */
export const classNames = ({ metadata }: ParquetFile, column: string): readonly string[] | undefined => {
  const value = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value;
  if (value === undefined) return undefined;
  const features = declared.safeParse(parsed(value)).data?.info.features;
  return ofRow.safeParse(features?.[column]).data?.names;
};
