import type { Format } from '../../graph/quantize/format.ts';
import { formats } from '../../graph/quantize/formats/index.ts';

/** A way of storing weights in fewer bits, as people name and read it. */
export interface StorageFormat {
  readonly name: string;
  /** One line for help. */
  readonly summary: string;
  /** What matrices are in, and what stays otherwise: '4 bits', 'float'. */
  readonly matrices: string;
  readonly others: string;
  /** Whether numbers share a scale in blocks. */
  readonly hasBlocks: boolean;
}

const matricesOf = ({ products, floats }: Format): string => {
  switch (products.kind) {
    case 'blocks':
      return `${products.bits} bits`;
    case 'integers':
      return products.signed ? '8 bits' : '8 bits, unsigned';
    case 'floats':
      return floats;
  }
};

/** Every format that `quantize` takes, the default first. */
export const quantizeFormats: readonly StorageFormat[] = formats.map((format: Format) => ({
  name: format.name,
  summary: format.summary,
  matrices: matricesOf(format),
  others: format.products.kind === 'floats' ? 'float32' : 'float',
  hasBlocks: format.products.kind === 'blocks',
}));
