import { idTargets } from '../../data/answer-targets.ts';
import { type Stream, stream } from '../../data/random.ts';
import { buildDecoder } from '../../models/decoder.ts';
import { buildEncoder } from '../../models/encoder.ts';
import type { Model } from '../../models/model.ts';
import { buildVit } from '../../models/vit.ts';
import { type Encoded, encodedText } from '../encoded.ts';
import { textClassification } from '../tasks/classification.ts';
import { imageClassification } from '../tasks/image-classification.ts';
import type { Task } from '../tasks/task.ts';
import { textGeneration } from '../tasks/text-generation.ts';
import type { TrainingExamples } from '../training-options.ts';
import type { DecoderSize, EncoderSize, ImageSize, ModelSize } from './rehearsal.ts';

/** A model that knows nothing, and examples that mean nothing, of the sizes that there will be. */
export interface Untrained {
  readonly task: Task;
  readonly model: Model;
  readonly examples: TrainingExamples;
}

type Lengths = readonly number[];

/** Images that are drawn; others are the same again. */
const IMAGES = 16;

const tokens = { padding: 1, unknown: 0 } as const;

const labelsOf = (classes: number): readonly string[] =>
  Array.from({ length: Math.max(2, classes) }, (_, i) => `class ${i}`);

const idsOf = (length: number, vocabulary: number, random: Stream): Int32Array =>
  Int32Array.from({ length }, () => random.integer(vocabulary));

const classified = (encoded: readonly Encoded[], classes: number, random: Stream): TrainingExamples => ({
  encoded,
  targets: idTargets(encoded.map(() => random.integer(Math.max(2, classes)))),
});

const encoder = ({ kind: _, classes, ...size }: EncoderSize, lengths: Lengths, random: Stream): Untrained => {
  const inside = { norm: 'post', activation: 'gelu', pooling: 'mean', dropout: 0.1 } as const;
  const encoded = lengths.map((length) =>
    encodedText({ ids: idsOf(Math.min(length, size.maxLength), size.vocabulary, random) }),
  );
  return {
    task: textClassification,
    model: buildEncoder({ ...size, ...inside, tokens, labels: labelsOf(classes) }, {}, 1),
    examples: classified(encoded, classes, random),
  };
};

const decoder = ({ kind: _, ...size }: DecoderSize, lengths: Lengths, random: Stream): Untrained => {
  const { vocabulary, maxLength } = size;
  const encoded = lengths.map((length): Encoded => {
    const whole = idsOf(Math.min(length, maxLength) + 1, vocabulary, random);
    const [own, next] = [whole.subarray(0, -1), whole.subarray(1)];
    return { length: own.length, byRole: { tokens: own, next }, places: Int32Array.from(own.keys()) };
  });
  const made = { ...size, ropeTheta: 10_000, dropout: 0, tokens, end: { id: 0, text: '' } };
  return {
    task: textGeneration,
    model: buildDecoder(made, {}, 1),
    examples: { encoded, targets: idTargets(encoded.flatMap(({ byRole }) => Array.from(byRole.next ?? []))) },
  };
};

const vit = ({ kind: _, classes, ...size }: ImageSize, lengths: Lengths, random: Stream): Untrained => {
  const { channels, height, width } = size;
  const even = Array.from({ length: channels }, () => 1);
  const pixels = { channels, height, width, scale: 1 / 255, mean: even, deviation: even };
  const some = lengths
    .slice(0, IMAGES)
    .map(() => Uint8Array.from({ length: channels * height * width }, () => random.integer(256)));
  const encoded = lengths.flatMap((_, i): readonly Encoded[] => {
    const shown = some[i % IMAGES];
    return shown === undefined ? [] : [{ length: 1, byRole: { pixels: shown } }];
  });
  const inside = { activation: 'gelu', pooling: 'mean', dropout: 0.1 } as const;
  return {
    task: imageClassification,
    model: buildVit({ ...size, ...inside, labels: labelsOf(classes), pixels }, 1),
    examples: classified(encoded, classes, random),
  };
};

/** Examples of such lengths: images are one position each. */
export const untrained = (size: ModelSize, lengths: Lengths): Untrained => {
  const random = stream(1, 'rehearsal');
  switch (size.kind) {
    case 'encoder':
      return encoder(size, lengths, random);
    case 'decoder':
      return decoder(size, lengths, random);
    case 'images':
      return vit(size, lengths, random);
  }
};
