import { z } from 'zod';

/** Settings of rotary positions as transformers 5 has them in `rope_parameters`, and as older files have them in `rope_scaling`. */
const given = z.object({
  rope_theta: z.number().positive().nullish(),
  partial_rotary_factor: z.number().positive().max(1).nullish(),
  factor: z.number().positive().nullish(),
  original_max_position_embeddings: z.number().positive().nullish(),
  low_freq_factor: z.number().positive().nullish(),
  high_freq_factor: z.number().positive().nullish(),
  attention_factor: z.number().positive().nullish(),
  beta_fast: z.number().positive().nullish(),
  beta_slow: z.number().positive().nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.boolean().nullish(),
});
type Given = z.output<typeof given>;

/** What positions are turned by: an angle a position for each pair of numbers, and what sines and cosines are multiplied by. */
export interface Turns {
  readonly frequencies: readonly number[];
  readonly factor: number;
}

interface Plain {
  /** theta^(-2 i / width) for i below width / 2. */
  readonly frequencies: readonly number[];
  readonly theta: number;
  readonly width: number;
  /** The longest text of the training before positions were stretched. */
  readonly before: number;
}

interface RopeKind {
  /** Settings that it cannot do without. */
  readonly needs: readonly (keyof Given)[];
  readonly turns: (plain: Plain, given: Given) => Turns;
}

const { fround, PI } = Math;

/** Every number in float32, as PyTorch works it out. */
export const plainFrequencies = (theta: number, width: number): readonly number[] =>
  Array.from({ length: width / 2 }, (_, i) => fround(1 / fround(theta ** fround((2 * i) / width))));

/** Positions divided by a factor (Chen et al. 2023, arXiv 2306.15595). */
const linear: RopeKind = {
  needs: ['factor'],
  turns: ({ frequencies }, { factor }) => ({
    frequencies: frequencies.map((frequency) => fround(frequency / (factor ?? 1))),
    factor: 1,
  }),
};

/** LLaMA 3.1: long waves are stretched, short ones are not, and those between by a share. */
const llama3: RopeKind = {
  needs: ['factor', 'low_freq_factor', 'high_freq_factor'],
  turns: ({ frequencies, before }, { factor: stretch, low_freq_factor: low, high_freq_factor: high }) => {
    const [factor, least, most] = [stretch ?? 1, low ?? 1, high ?? 4];
    return {
      factor: 1,
      frequencies: frequencies.map((frequency) => {
        const turnsBefore = before / ((2 * PI) / frequency);
        if (turnsBefore > most) return frequency;
        if (turnsBefore < least) return fround(frequency / factor);
        const share = (turnsBefore - least) / (most - least);
        return fround(((1 - share) * frequency) / factor + share * frequency);
      }),
    };
  },
};

const scaleOf = (factor: number, scale = 1): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);

const yarnFactor = ({ factor, attention_factor: said, mscale, mscale_all_dim: all }: Given): number => {
  if (said != null) return said;
  return mscale && all ? scaleOf(factor ?? 1, mscale) / scaleOf(factor ?? 1, all) : scaleOf(factor ?? 1);
};

/** YaRN (Peng et al. 2023, arXiv 2309.00071): a ramp over the pairs, between those that turn often and those that turn seldom. */
const yarn: RopeKind = {
  needs: ['factor'],
  turns: ({ frequencies, theta, width, before }, settings) => {
    const { factor, beta_fast: fast, beta_slow: slow, truncate } = settings;
    const pairOf = (turned: number): number => (width * Math.log(before / (turned * 2 * PI))) / (2 * Math.log(theta));
    const [first, last] = [pairOf(fast ?? 32), pairOf(slow ?? 1)];
    const whole = truncate !== false;
    const low = Math.max(whole ? Math.floor(first) : first, 0);
    const high = Math.min(whole ? Math.ceil(last) : last, width - 1);
    const length = high === low ? 0.001 : high - low;
    return {
      factor: yarnFactor(settings),
      frequencies: frequencies.map((frequency, i) => {
        const share = Math.min(1, Math.max(0, (i - low) / length));
        return fround((frequency / (factor ?? 1)) * share + frequency * (1 - share));
      }),
    };
  },
};

const kinds = {
  default: { needs: [], turns: ({ frequencies }) => ({ frequencies, factor: 1 }) },
  linear,
  llama3,
  yarn,
} as const satisfies Readonly<Record<string, RopeKind>>;

const kindNames = ['default', 'linear', 'llama3', 'yarn'] as const satisfies readonly (keyof typeof kinds)[];
const kindName = z.enum(kindNames);

/** What a file says of its rotary positions: the kind stands in `rope_type`, which was `type` once. */
const rope = given.extend({ rope_type: kindName.nullish(), type: kindName.nullish() }).superRefine((settings, ctx) => {
  for (const key of kinds[settings.rope_type ?? settings.type ?? 'default'].needs) {
    if (settings[key] != null) continue;
    ctx.addIssue({ code: 'custom', message: 'expected a number, which this rope_type needs', path: [key] });
  }
});
type Rope = z.output<typeof rope>;

/** Where a configuration may say it: `rope_scaling` wins, as in transformers. */
export const ropeKeys = {
  rope_theta: z.number().positive().nullish(),
  rope_parameters: rope.nullish(),
  rope_scaling: rope.nullish(),
} as const;

/** What those keys say. */
export interface RopeSaid {
  readonly rope_theta?: number | null | undefined;
  readonly rope_parameters?: Rope | null | undefined;
  readonly rope_scaling?: Rope | null | undefined;
}

const settingsIn = ({ rope_scaling, rope_parameters }: RopeSaid): Rope => rope_scaling ?? rope_parameters ?? {};

const thetaIn = (said: RopeSaid): number => settingsIn(said).rope_theta ?? said.rope_theta ?? 10_000;

/** The share of each head that is turned, as transformers 5 writes it. */
export const turnedShareIn = (said: RopeSaid): number | undefined =>
  settingsIn(said).partial_rotary_factor ?? undefined;

/** What the positions of a model are turned by, over `width` numbers of each head. */
export const turnsIn = (said: RopeSaid, width: number, positions: number): Turns => {
  const settings = settingsIn(said);
  const theta = thetaIn(said);
  const before = settings.original_max_position_embeddings ?? positions;
  const plain: Plain = { frequencies: plainFrequencies(theta, width), theta, width, before };
  return kinds[settings.rope_type ?? settings.type ?? 'default'].turns(plain, settings);
};
