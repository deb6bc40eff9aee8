/**
 * Event files as TensorBoard reads them: TFRecords (tensorflow/core/lib/io/record_writer.h) of Event messages
 * (tensorflow/core/util/event.proto), of which scalars need five fields.
 */

/** One number at one step. */
export interface Scalar {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
  /** Seconds since 1970. */
  readonly at: number;
}

/** CRC-32C (Castagnoli), reflected. */
const POLYNOMIAL = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1;
  return remainder;
});

const crc32c = (bytes: Uint8Array): number => {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
};

/** Sums of data that holds sums are weak: TFRecords rotate theirs and add a constant. */
const masked = (bytes: Uint8Array): Buffer => {
  const crc = crc32c(bytes);
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return sum;
};

const record = (data: Buffer): Buffer => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, masked(length), data, masked(data)]);
};

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
};

/** Kinds of fields in the wire format of protocol buffers. */
const wire = { varint: 0, double: 1, bytes: 2, float: 5 } as const;

const key = (field: number, kind: keyof typeof wire): Buffer => varint(field * 8 + wire[kind]);

const bytesField = (field: number, data: Buffer): Buffer =>
  Buffer.concat([key(field, 'bytes'), varint(data.length), data]);

const doubleField = (field: number, value: number): Buffer => {
  const data = Buffer.alloc(8);
  data.writeDoubleLE(value);
  return Buffer.concat([key(field, 'double'), data]);
};

const floatField = (field: number, value: number): Buffer => {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return Buffer.concat([key(field, 'float'), data]);
};

/** What every file begins with: Event { wall_time, file_version }. */
export const versionRecord = (at: number): Buffer =>
  record(Buffer.concat([doubleField(1, at), bytesField(3, Buffer.from('brain.Event:2'))]));

/** Event { wall_time, step, summary: { value: { tag, simple_value } } }. */
export const scalarRecord = ({ tag, step, value, at }: Scalar): Buffer => {
  const one = Buffer.concat([bytesField(1, Buffer.from(tag)), floatField(2, value)]);
  const summary = bytesField(1, one);
  return record(
    Buffer.concat([doubleField(1, at), key(2, 'varint'), varint(Math.round(step)), bytesField(5, summary)]),
  );
};
