import { elementCount } from '../../graph/tensor.ts';
import { headerError, Scanner } from './scanner.ts';

/** Element types of the format with their size in bits. */
const dtypeBits: Readonly<Record<string, number>> = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  F8_E4M3: 8,
  F8_E5M2: 8,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U64: 64,
  U32: 32,
  U16: 16,
  U8: 8,
  BOOL: 8,
};

/** One tensor of the header; `begin` and `end` count from the first byte after it. */
export interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly begin: number;
  readonly end: number;
}

const metadataKey = '__metadata__';

const dimsOf = (scanner: Scanner): number[] => {
  const dims: number[] = [];
  scanner.list('[', ']', () => dims.push(scanner.integer('a dimension')));
  return dims;
};

const rangeOf = (scanner: Scanner): readonly [number, number] => {
  scanner.expect('[');
  const begin = scanner.integer('the first byte of a tensor');
  scanner.expect(',');
  const end = scanner.integer('the last byte of a tensor');
  scanner.expect(']');
  return [begin, end];
};

const entryOf = (scanner: Scanner, name: string): Entry => {
  let dtype: string | undefined;
  let dims: readonly number[] | undefined;
  let range: readonly [number, number] | undefined;
  scanner.object('a key of a tensor', (key) => {
    if (key === 'dtype') dtype = scanner.string('an element type');
    else if (key === 'shape') dims = dimsOf(scanner);
    else if (key === 'data_offsets') range = rangeOf(scanner);
    else throw headerError(`tensor '${name}' has the key '${key}'; expected dtype, shape and data_offsets`);
  });
  if (dtype !== undefined && dims !== undefined && range !== undefined) {
    return { name, dtype, dims, begin: range[0], end: range[1] };
  }
  const missing = dtype === undefined ? 'dtype' : dims === undefined ? 'shape' : 'data_offsets';
  throw headerError(`tensor '${name}' has no ${missing}`);
};

/** The entries of a header, without a look at the data behind it. */
export const parseHeader = (text: string): readonly Entry[] => {
  const scanner = new Scanner(text);
  const entries: Entry[] = [];
  scanner.object('the name of a tensor', (name) => {
    if (name === metadataKey) scanner.object('a key of the metadata', () => scanner.string('a text'));
    else entries.push(entryOf(scanner, name));
  });
  if (!scanner.ended) scanner.fail('its end');
  return entries;
};

const checkSize = ({ name, dtype, dims, begin, end }: Entry): void => {
  const bits = dtypeBits[dtype];
  if (bits === undefined) {
    throw headerError(
      `tensor '${name}' has elements of type '${dtype}'; the format knows ${Object.keys(dtypeBits).join(', ')}`,
    );
  }
  const expected = (elementCount(dims) * bits) / 8;
  if (end - begin === expected) return;
  throw headerError(
    `tensor '${name}' is ${dtype} [${dims.join(', ')}], which takes ${expected} bytes; its offsets [${begin}, ${end}] hold ${end - begin}`,
  );
};

/** Tensors must follow each other without gap or overlap, and end with the file. */
export const checkEntries = (entries: readonly Entry[], dataBytes: number): void => {
  entries.forEach(checkSize);
  let at = 0;
  let before = 'the header';
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < at) throw headerError(`tensor '${name}' begins at ${begin}, inside '${before}', which ends at ${at}`);
    if (begin > at) throw headerError(`bytes ${at} to ${begin} between '${before}' and '${name}' belong to no tensor`);
    if (end > dataBytes) {
      throw headerError(
        `tensor '${name}' ends at byte ${end} of the data, of which there are ${dataBytes}: the file was cut short`,
      );
    }
    at = end;
    before = name;
  }
  if (at !== dataBytes) throw headerError(`the tensors take ${at} bytes, ${dataBytes} stand behind the header`);
};
