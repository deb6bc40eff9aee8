import { createReadStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';

/** Makes what compresses a stream. */
export type Compressor = () => Transform;

/** Brotli's quality: what servers use on the fly, and half a second for 27 MB. */
const BROTLI_QUALITY = 4;

export const gzip: Compressor = () => zlib.createGzip();

export const brotli: Compressor = () =>
  zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } });

/** Zstandard, which Node has from 22.15 and 23.8 on. */
export const zstd: Compressor | undefined = (() => {
  const make: unknown = Reflect.get(zlib, 'createZstdCompress');
  if (typeof make !== 'function') return undefined;
  return () => {
    const made: unknown = make();
    if (made instanceof Transform) return made;
    throw new Error('createZstdCompress makes no stream');
  };
})();

/** Bytes of files after compression, streamed. */
export const bytesAfter = async (files: readonly string[], compressor: Compressor): Promise<number> => {
  let size = 0;
  for (const file of files) {
    await pipeline(createReadStream(file), compressor(), async (source) => {
      for await (const chunk of source) size += chunk.length;
    });
  }
  return size;
};
