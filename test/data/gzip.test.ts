import { createGzip, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sourceBytes } from '../../data/datasets/bytes.ts';
import { sniff } from '../../data/datasets/sniff.ts';

import { workspace } from '../rig/workspace.ts';

const rows = (count: number): string =>
  `text,label\n${Array.from({ length: count }, (_, i) => `a text of number ${i},${i % 2 === 0 ? 'even' : 'odd'}\n`).join('')}`;

/** So many bytes of one row, packed without ever being in memory. */
const bomb = async (mebibytes: number): Promise<Buffer> => {
  const gzip = createGzip({ level: 9 });
  const block = Buffer.from('a b,c\n'.repeat(1 << 18)).subarray(0, 1 << 20);
  const parts: Buffer[] = [];
  gzip.on('data', (part: Buffer) => parts.push(part));
  gzip.write('text,label\n');
  for (let i = 0; i < mebibytes; i++) if (!gzip.write(block)) await new Promise((done) => gzip.once('drain', done));
  await new Promise((done) => gzip.once('end', done).end());
  return Buffer.concat(parts);
};

describe('a file in gzip', () => {
  it('that unpacks to far more than texts do is refused with both sizes', async () => {
    using space = workspace();
    const file = space.write('reviews.csv.gz', await bomb(180));
    const all = async () => {
      for await (const _ of sourceBytes({ shown: 'reviews.csv.gz', path: file }));
    };
    await expect(all()).rejects.toThrow(
      /reviews\.csv\.gz has \d+ bytes and unpacks to more than \d+: no texts are packed so tightly; .*gunzip/,
    );
  });

  it('may hold several, one after the other', async () => {
    using space = workspace();
    const [first, second] = [rows(40), rows(40).replace('text,label\n', '')].map((text) => gzipSync(text));
    const file = space.write(
      'reviews.csv.gz',
      Buffer.concat([first ?? '', second ?? ''].map((part) => Buffer.from(part))),
    );
    expect((await sniff(file)).rows).toBe(80);
  });
});
