import { bytes } from '../ground/bytes.ts';
import type { ZeroSavings } from '../ground/reported/evaluation.ts';
import { percent } from './figures.ts';

const saved = (tool: string, after: number, dense: number): string =>
  `${percent(1 - after / dense)} % of the bytes after ${tool} (${bytes(after)} instead of ${bytes(dense)})`;

/** What zeros bring a file, and what they do not: no kernel on the CPU leaves them out, and sparse tensors would be larger. */
export const savedByZeros = (zeros: ZeroSavings | undefined): readonly string[] => {
  if (zeros === undefined) return [];
  const { share, gzipBytes, zstdBytes, dense } = zeros;
  const zstd =
    zstdBytes === undefined || dense.zstdBytes === undefined ? [] : [saved('zstd', zstdBytes, dense.zstdBytes)];
  const all = [saved('gzip', gzipBytes, dense.gzipBytes), ...zstd].join(', ');
  return [
    `${percent(share)} % of the numbers in its pruned matrices are zeros: they save ${all}; no byte of the file itself and no time, since no kernel leaves them out`,
  ];
};
