import { decode } from 'jpeg-js';
import type { Pixels } from '../dataset.ts';
import { expectReadable, imageErrors } from './errors.ts';

export const isJpeg = (bytes: Buffer): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

/** A piece of the file in front of its samples: what it is, and what it says. */
interface Segment {
  readonly marker: number;
  readonly data: Buffer;
}

const SCAN = 0xda;
const APPLICATION = 0xe1;

const segmentsOf = (bytes: Buffer): readonly Segment[] => {
  const segments: Segment[] = [];
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) at += 1;
    else {
      const end = at + 2 + bytes.readUInt16BE(at + 2);
      segments.push({ marker, data: bytes.subarray(at + 4, end) });
      if (marker === SCAN) break;
      at = end;
    }
  }
  return segments;
};

/** Of every way of coding; C4, C8 and CC are other tables. */
const isFrame = ({ marker }: Segment): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

const ORIENTATION = 0x0112;
const EXIF = 'Exif\0\0';

/** How an image is to be turned for showing: 1 where it stands upright. */
const orientationOf = (segments: readonly Segment[]): number => {
  const exif = segments.find(({ marker, data }) => marker === APPLICATION && data.toString('latin1', 0, 6) === EXIF);
  const tiff = exif?.data.subarray(EXIF.length);
  if (tiff === undefined || tiff.length < 8) return 1;
  const little = tiff.toString('latin1', 0, 2) === 'II';
  const short = (at: number): number =>
    at + 2 > tiff.length ? 0 : little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at);
  const first = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  const entries = Array.from({ length: Math.min(short(first), 1000) }, (_, i) => first + 2 + 12 * i);
  const entry = entries.find((at) => short(at) === ORIENTATION);
  return entry === undefined ? 1 : short(entry + 8);
};

/** Cameras and messengers fill files up behind the end. */
const hasEnd = (bytes: Buffer): boolean => bytes.lastIndexOf(Buffer.from([0xff, 0xd9])) > 0;

const decoded = (bytes: Buffer, at: string) => {
  try {
    return decode(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false });
  } catch (error) {
    throw imageErrors.damaged(at, error instanceof Error ? error.message : String(error));
  }
};

/** The samples of a JPEG file: grey or red, green and blue. */
export const readJpeg = (bytes: Buffer, at: string): Pixels => {
  const segments = segmentsOf(bytes);
  const frame = segments.find(isFrame)?.data;
  if (frame === undefined || frame.length < 6) throw imageErrors.damaged(at, 'it has no head');
  const [bits = 0] = frame;
  const [height, width, channels = 0] = [frame.readUInt16BE(1), frame.readUInt16BE(3), frame[5]];
  expectReadable(at, width, height);
  if (bits !== 8) throw imageErrors.depth(at, bits);
  if (channels !== 1 && channels !== 3) throw imageErrors.channels(at, channels);
  const orientation = orientationOf(segments);
  if (orientation > 1) throw imageErrors.turned(at, orientation);
  if (!hasEnd(bytes)) throw imageErrors.damaged(at, 'its end is missing');
  const { data } = decoded(bytes, at);
  // Grey comes as three equal channels.
  const own = channels === 3 ? data : Uint8Array.from({ length: width * height }, (_, i) => data[3 * i] ?? 0);
  return { width, height, channels, data: own };
};
