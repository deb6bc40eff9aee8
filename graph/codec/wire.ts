import { codecError } from './dtypes.ts';

/** A byte of a message by its place, wherever the message lies. */
export type ByteAt = (at: number) => number;

/** Wire type of fields that say how long they are: messages, texts, raw data. */
export const DELIMITED = 2;

/** A field of a protobuf message: its number and wire type, and the places of its key, its body and what follows. */
export interface Field {
  readonly number: number;
  readonly wire: number;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

const varint = (byteAt: ByteAt, start: number, end: number): readonly [number, number] => {
  let result = 0;
  let scale = 1;
  for (let at = start; at < end && at < start + 10; at++) {
    const byte = byteAt(at);
    result += (byte & 127) * scale;
    if (byte < 128) return [result, at + 1];
    scale *= 128;
  }
  throw codecError(
    end - start < 10
      ? `the file is cut short: a number at byte ${start} has no end`
      : `the bytes are no ONNX model: a number at byte ${start} is too long`,
  );
};

const bounded = (start: number, stop: number, end: number): readonly [number, number] => {
  if (stop > end) throw codecError(`the file is cut short: a field ends at byte ${stop}, the data at byte ${end}`);
  return [start, stop];
};

/** Where a field's body starts and ends, by wire type. */
const extent = (byteAt: ByteAt, at: number, end: number, wire: number): readonly [number, number] => {
  switch (wire) {
    case 0:
      return [at, varint(byteAt, at, end)[1]];
    case 1:
      return bounded(at, at + 8, end);
    case DELIMITED: {
      const [length, body] = varint(byteAt, at, end);
      return bounded(body, body + length, end);
    }
    case 5:
      return bounded(at, at + 4, end);
    default:
      throw codecError(`the bytes are no ONNX model: wire type ${wire} at byte ${at}`);
  }
};

/**
 * The fields of a message, one after another. `expect` is told the number of each before its body is looked at. Throws
 * a codecError where the bytes are no protobuf.
 */
export function* fieldsOf(
  byteAt: ByteAt,
  start: number,
  end: number,
  expect: (number: number) => void = () => undefined,
): Generator<Field> {
  for (let at = start; at < end; ) {
    const [key, afterKey] = varint(byteAt, at, end);
    const [number, wire] = [Math.floor(key / 8), key % 8];
    expect(number);
    const [body, stop] = extent(byteAt, afterKey, end, wire);
    yield { number, wire, start: at, body, end: stop };
    at = stop;
  }
}
