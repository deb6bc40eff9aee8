import { join } from 'node:path';
import { buildDecoder } from '../../models/decoder.ts';
import { buildEncoder } from '../../models/encoder.ts';
import { writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { buildVit } from '../../models/vit.ts';
import type { Estimate, EstimatedFigure } from '../../pipeline/api/index.ts';
import { decantJson } from '../decant.ts';

/** Nothing is read with it, but every model of texts has one. */
const tokenizer = {
  version: '1.0',
  model: { type: 'WordPiece', vocab: { '[UNK]': 0, '[PAD]': 1 }, unk_token: '[UNK]' },
};
const tokens = { padding: 1, unknown: 0 };

interface Width {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly vocabulary: number;
  readonly maxLength: number;
}

const encoder = (width: Width): Model => ({
  ...buildEncoder(
    {
      ...{ ...width, ffn: 4 * width.hidden, norm: 'post', activation: 'gelu', pooling: 'mean', dropout: 0.1, tokens },
      labels: ['no', 'yes'],
    },
    {},
    1,
  ),
  tokenizer,
});

const decoder = (): Model =>
  buildDecoder(
    {
      ...{ vocabulary: 6400, hidden: 512, layers: 8, heads: 8, kvHeads: 2, ffn: 1408, maxLength: 2048 },
      ...{ ropeTheta: 1e6, tied: true, dropout: 0, tokens, end: { id: 0, text: '<end>' } },
    },
    tokenizer,
    1,
  );

const thirds = [0.5, 0.5, 0.5];

const images = (): Model =>
  buildVit(
    {
      ...{ hidden: 192, layers: 12, heads: 3, ffn: 768, patch: 16, activation: 'gelu', pooling: 'first', dropout: 0 },
      labels: ['no', 'yes'],
      pixels: { channels: 3, height: 224, width: 224, scale: 1 / 255, mean: thirds, deviation: thirds },
    },
    1,
  );

/** Sizes of models that people know, with random weights. */
const shapes: readonly { readonly name: string; readonly size: readonly [number, number]; build(): Model }[] = [
  {
    name: '256 x 4 layers',
    size: [16, 128],
    build: () => encoder({ hidden: 256, layers: 4, heads: 4, vocabulary: 8000, maxLength: 512 }),
  },
  {
    name: 'MiniLM',
    size: [16, 128],
    build: () => encoder({ hidden: 384, layers: 6, heads: 12, vocabulary: 30522, maxLength: 512 }),
  },
  {
    name: 'BERT-base',
    size: [1, 128],
    build: () => encoder({ hidden: 768, layers: 12, heads: 12, vocabulary: 30522, maxLength: 512 }),
  },
  {
    name: '256 x 2 layers',
    size: [1, 4096],
    build: () => encoder({ hidden: 256, layers: 2, heads: 4, vocabulary: 4000, maxLength: 4096 }),
  },
  { name: 'minimind', size: [1, 512], build: decoder },
  { name: 'ViT-Ti', size: [16, 1], build: images },
];

const figuresOf = ({ flops, milliseconds, bytes, training, newTokens }: Estimate) => ({
  operations: flops,
  time: milliseconds,
  memory: bytes,
  'operations of an update': training.flops,
  'time of an update': training.milliseconds,
  'memory of updates': training.bytes,
  ...(newTokens === null ? {} : { 'time of a new token': newTokens.milliseconds, cache: newTokens.cache }),
});

const told = (figure: EstimatedFigure | null): string =>
  figure?.measured == null || figure.ratio === null
    ? '-'
    : `${figure.estimated.toPrecision(4)} | ${figure.measured.toPrecision(4)} | ${figure.ratio.toFixed(3)}`;

/** What `decant estimate` says of models of known sizes beside what it measures of them. */
export const benchShapes = async (folder: string, only: string | undefined): Promise<void> => {
  console.log('| shape | | by formula | measured | ratio |\n|---|---|---|---|---|');
  for (const { name, size, build } of shapes.filter((shape) => only === undefined || shape.name.includes(only))) {
    const place = join(folder, name);
    await writeModel(place, build());
    const [batch, length] = size;
    const found = await decantJson<Estimate>([
      'estimate',
      place,
      '--batch',
      `${batch}`,
      '--length',
      `${length}`,
      '--train',
      '--json',
    ]);
    for (const [what, figure] of Object.entries(figuresOf(found)))
      console.log(`| ${name} ${batch} x ${length} | ${what} | ${told(figure)} |`);
  }
};
