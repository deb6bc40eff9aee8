import { type Stream, stream } from '../../../data/random.ts';

/** A file of a sound folder with damage done to it by a seed. */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  /** What of it comes out. */
  readonly damage: (bytes: Uint8Array) => Uint8Array;
}

type Damage = (bytes: Buffer, random: Stream) => Uint8Array;

const place = (bytes: Buffer, random: Stream): number => random.integer(Math.max(bytes.length, 1));
const range = (bytes: Buffer, random: Stream): readonly [number, number] => {
  const [a, b] = [place(bytes, random), place(bytes, random)];
  return [Math.min(a, b), Math.max(a, b)];
};

const changed = (bytes: Buffer, at: number, value: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
};

/** A number or a text of a JSON file becomes what nobody expects there. */
const strangers = [
  '-1',
  '1e308',
  '99999999999',
  'null',
  '[]',
  '{}',
  '"\\u001b[31m"',
  '0.5',
  'true',
  '"__proto__"',
  `"${'x'.repeat(30_000)}"`,
];
const inJson: Damage = (bytes, random) => {
  const text = bytes.toString('utf8');
  const values = [...text.matchAll(/-?\d+(?:\.\d+)?|"[^"\\]*"|true|false|null/g)];
  const value = values[random.integer(Math.max(values.length, 1))];
  if (value === undefined) return bytes;
  const stranger = strangers[random.integer(strangers.length)] ?? 'null';
  return Buffer.from(text.slice(0, value.index) + stranger + text.slice(value.index + value[0].length));
};

const damages: readonly Damage[] = [
  (bytes, random) => {
    const at = place(bytes, random);
    return changed(bytes, at, (bytes[at] ?? 0) ^ (1 << random.integer(8)));
  },
  (bytes, random) => changed(bytes, place(bytes, random), random.integer(256)),
  (bytes, random) => changed(bytes, place(bytes, random), 255),
  (bytes, random) => bytes.subarray(0, place(bytes, random)),
  (bytes, random) => {
    const [from, to] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  (bytes, random) => {
    const [from, to] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from, to), bytes.subarray(to)]);
  },
  (bytes, random) => {
    const at = place(bytes, random);
    const more = Buffer.from(Array.from({ length: 1 + random.integer(20) }, () => random.integer(256)));
    return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
  },
  (bytes, random) => {
    const at = place(bytes, random);
    return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(10, 255), bytes.subarray(at + 10)]);
  },
  // Near the beginning lies what says how long everything else is.
  (bytes, random) => changed(bytes, random.integer(Math.min(bytes.length, 400)), random.integer(256)),
  (bytes, random) =>
    changed(bytes, bytes.length - 1 - random.integer(Math.min(bytes.length, 2000)), random.integer(256)),
];

/** Bytes with one kind of damage done to them. */
export const damaged = (bytes: Uint8Array, random: Stream): Uint8Array =>
  damages[random.integer(damages.length)]?.(Buffer.from(bytes), random) ?? bytes;

const mutation = (file: string, seed: number): Mutation => {
  const random = stream(seed, 'mutation', file);
  const kinds = file.endsWith('.json') ? [...damages, ...Array<Damage>(2 * damages.length).fill(inJson)] : damages;
  const kind = random.integer(kinds.length);
  return {
    name: `${file} ${seed}`,
    file,
    damage: (bytes) => kinds[kind]?.(Buffer.from(bytes), random) ?? bytes,
  };
};

const mutations = (file: string, count: number): readonly Mutation[] =>
  Array.from({ length: count }, (_, seed) => mutation(file, seed));

/** Of a stage's folder. */
export const modelMutations: readonly Mutation[] = [
  ...mutations('model.onnx', 200),
  ...mutations('model.json', 60),
  ...mutations('tokenizer.json', 60),
];

/** Of a checkpoint's folder. */
export const checkpointMutations: readonly Mutation[] = [
  ...mutations('config.json', 50),
  ...mutations('model.safetensors', 50),
  ...mutations('tokenizer_config.json', 30),
];
