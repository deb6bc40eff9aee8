import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { deployFiles } from '../../files.ts';
import type { ImageFacts } from '../../image-architectures/kind.ts';
import type { PixelRule } from '../../model.ts';
import { all, carriedOut, checkKeys, type KeyTable, noEffect, refused } from '../folder/keys.ts';
import { importError } from '../importer.ts';
import { issueText, readJsonObject } from '../json-file.ts';
import { imageProcessors } from './processors/index.ts';
import type { ImageProcessorKind } from './processors/kind.ts';

export const processorFile = deployFiles.preprocessor;

const side = z.int().positive();

/** One number for both sides, or both. An edge that is the shortest says nothing of the other. */
const size = z.union([side, z.object({ height: side, width: side }), z.object({ shortest_edge: side })]);

const perChannel = z.union([z.number(), z.array(z.number()).min(1)]);

const config = z.object({
  image_processor_type: z.string().nullish(),
  feature_extractor_type: z.string().nullish(),
  do_resize: z.boolean().nullish(),
  size: size.nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: size.nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: perChannel.nullish(),
  image_std: perChannel.nullish(),
  do_convert_rgb: z.boolean().nullish(),
});
type Config = z.output<typeof config>;

/** Every key that transformers reads of the file. */
const keys: KeyTable = {
  ...all(carriedOut, ...Object.keys(config.shape)),
  resample: noEffect('images are read at the size that the model takes'),
  ...all(
    noEffect('it tells how the same is computed'),
    'data_format',
    'device',
    'disable_grouping',
    'input_data_format',
  ),
  ...all(
    noEffect('it names what else belongs to the folder'),
    'processor_class',
    'return_tensors',
    'auto_map',
    '_valid_processor_keys',
  ),
  ...all(
    noEffect('images are read at the size that the model takes'),
    'crop_pct',
    'default_to_square',
    'image_seq_length',
  ),
  do_pad: refused('images are not filled up here; expected false', false),
  pad_size: refused('images are not filled up here; expected null'),
  do_flip_channel_order: refused('channels are read in the order that files have; expected false', false),
  do_thumbnail: refused('images are read at the size that the model takes; expected false', false),
  do_crop_margin: refused('margins are not cut off here; expected false', false),
};

const kindOf = ({ image_processor_type, feature_extractor_type }: Config): ImageProcessorKind => {
  const given = image_processor_type ?? feature_extractor_type;
  const [usual] = imageProcessors;
  if (given == null) return usual;
  const plain = given.replace(/(?:Fast|Pil)$/, '');
  const kind = imageProcessors.find(({ names }) => names.includes(plain));
  if (kind !== undefined) return kind;
  const known = imageProcessors.flatMap(({ names }) => names).join(', ');
  throw importError(`${processorFile}: decant knows no image processor '${given}'; it knows ${known}`);
};

type Sides = readonly [height: number, width: number];

const sidesOf = (given: z.output<typeof size> | null | undefined): Sides | undefined => {
  if (given == null || (typeof given === 'object' && 'shortest_edge' in given)) return undefined;
  return typeof given === 'number' ? [given, given] : [given.height, given.width];
};

/** What images are when all that is done to their size has been done; undefined where the file leaves that open. */
const resultOf = (given: Config, { defaults }: ImageProcessorKind): Sides | undefined => {
  const crops = given.do_center_crop ?? defaults.crop !== undefined;
  if (crops) return given.crop_size == null ? defaults.crop : sidesOf(given.crop_size);
  if (given.do_resize === false) return undefined;
  return given.size == null ? defaults.size : sidesOf(given.size);
};

/** A size that is only the processor's usual one contradicts nobody. */
const checkSize = (given: Config, kind: ImageProcessorKind, { height, width }: ImageFacts): void => {
  const result = resultOf(given, kind);
  if (result === undefined || (given.size == null && given.crop_size == null)) return;
  if (result[0] === height && result[1] === width) return;
  throw importError(
    `${processorFile}: makes images of ${result.join(' x ')}, but config.json says that the model reads ${height} x ${width}: ` +
      'the two files belong to different models',
  );
};

const numbersFor = (
  key: 'image_mean' | 'image_std',
  given: number | readonly number[],
  channels: number,
): readonly number[] => {
  if (typeof given === 'number') return Array.from({ length: channels }, () => given);
  if (given.length === channels) return given;
  throw importError(
    `${processorFile}: ${key} has ${given.length} numbers, but the model reads images of ${channels} channels: write one a channel`,
  );
};

/** What clients do to samples before the model reads them, as the folder says it. */
export const readProcessor = (folder: string, facts: ImageFacts): PixelRule => {
  const path = join(folder, processorFile);
  if (!existsSync(path)) {
    throw importError(
      `the folder has no ${processorFile}, which says how images are read: save the image processor beside the model`,
    );
  }
  const json = readJsonObject(path);
  checkKeys(processorFile, json, keys, undefined);
  const parsed = config.safeParse(json, { reportInput: true });
  if (!parsed.success) throw importError(`${processorFile}: ${issueText(parsed.error.issues)}`);
  const given = parsed.data;
  const kind = kindOf(given);
  checkSize(given, kind, facts);
  const { channels, height, width } = facts;
  if (given.do_convert_rgb === true && channels !== 3)
    throw importError(`${processorFile}: do_convert_rgb makes three channels, but the model reads ${channels}`);
  const normal = given.do_normalize ?? true;
  return {
    ...{ channels, height, width },
    scale: given.do_rescale === false ? 1 : (given.rescale_factor ?? 1 / 255),
    mean: numbersFor('image_mean', normal ? (given.image_mean ?? kind.defaults.mean) : 0, channels),
    deviation: numbersFor('image_std', normal ? (given.image_std ?? kind.defaults.deviation) : 1, channels),
  };
};
