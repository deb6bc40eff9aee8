import { convertIndexedToRgb, decode } from 'fast-png';
import type { Pixels } from '../dataset.ts';
import { expectReadable, imageErrors } from './errors.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export const isPng = (bytes: Buffer): boolean => bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE);

const HEAD = 8;
const CHECK = 4;

/** Names of the chunks, as far as the file goes. */
const chunksOf = (bytes: Buffer): readonly string[] => {
  const names: string[] = [];
  for (let at = SIGNATURE.length; at + HEAD <= bytes.length; at += HEAD + bytes.readUInt32BE(at) + CHECK) {
    names.push(bytes.toString('latin1', at + 4, at + HEAD));
  }
  return names;
};

/** Width and height stand first in the first chunk, the bits of a sample behind them. */
const headOf = (bytes: Buffer): readonly [width: number, height: number, bits: number] => {
  const at = SIGNATURE.length + HEAD;
  return [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4), bytes[at + 8] ?? 0];
};

const OPAQUE = 255;

/** Samples without those of transparency, which is always the last channel of a pixel. */
const withoutAlpha = ({ data, channels, ...size }: Pixels, at: string): Pixels => {
  if (channels !== 2 && channels !== 4) return { data, channels, ...size };
  const colours = channels - 1;
  const opaque = new Uint8Array((data.length / channels) * colours);
  for (let from = 0, to = 0; from < data.length; from += channels) {
    if (data[from + colours] !== OPAQUE) throw imageErrors.transparent(at);
    for (let c = 0; c < colours; c++) opaque[to++] = data[from + c] as number;
  }
  return { data: opaque, channels: colours, ...size };
};

const decoded = (bytes: Buffer, at: string) => {
  try {
    return decode(bytes, { checkCrc: true });
  } catch (error) {
    throw imageErrors.damaged(at, error instanceof Error ? error.message : String(error));
  }
};

/** The samples of a PNG file of 8 bits a channel, or of a palette. */
export const readPng = (bytes: Buffer, at: string): Pixels => {
  const chunks = chunksOf(bytes);
  if (chunks[0] !== 'IHDR' || bytes.length < SIGNATURE.length + HEAD + 13)
    throw imageErrors.damaged(at, 'it has no head');
  const [width, height, bits] = headOf(bytes);
  expectReadable(at, width, height);
  if (chunks.includes('acTL')) throw imageErrors.animated(at);
  if (!chunks.includes('IEND')) throw imageErrors.damaged(at, 'its end is missing');
  const image = decoded(bytes, at);
  if (image.palette !== undefined) {
    const samples = new Uint8Array(convertIndexedToRgb(image));
    return withoutAlpha({ width, height, channels: samples.length / (width * height), data: samples }, at);
  }
  if (bits !== 8) throw imageErrors.depth(at, bits);
  if (image.transparency !== undefined) throw imageErrors.transparent(at);
  return withoutAlpha({ width, height, channels: image.channels, data: new Uint8Array(image.data) }, at);
};
