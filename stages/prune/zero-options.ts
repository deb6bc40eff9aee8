import { z } from 'zod';
import { parsePattern, patternOf, patterns } from './patterns/index.ts';
import { type Competition, competitions, type Pattern } from './patterns/pattern.ts';
import { saliencies, saliencyOf } from './saliencies/index.ts';
import type { Saliency } from './saliencies/saliency.ts';

/** Texts that inputs are looked at by where nobody says how many. */
const CALIBRATION = 256;

const listed = (all: readonly { readonly name: string; readonly summary: string }[]): string =>
  all.map(({ name, summary }) => `${name}: ${summary}`).join('; ');

/** Which weights become 0. */
export const zeroKeys = {
  pattern: z
    .string()
    .superRefine((text, ctx) => {
      const parsed = parsePattern(text);
      if ('problem' in parsed) ctx.addIssue({ code: 'custom', message: parsed.problem });
    })
    .optional()
    .describe(
      `where zeros may stand, as '${patterns.map(({ example }) => example).join("', '")}' (default free). ${listed(patterns)}`,
    ),
  saliency: z
    .enum(saliencies.map(({ name }) => name))
    .optional()
    .describe(`by what zeros are chosen (default magnitude). ${listed(saliencies)}`),
  compete: z
    .enum(competitions)
    .optional()
    .describe(
      'among which weights the zeros are chosen: those of each row (an output), of each matrix, or of the whole model; ' +
        'default: wanda row, sparsegpt matrix, others model',
    ),
  reconstruct: z
    .boolean()
    .optional()
    .describe(
      'whether weights that stay move to where each product errs least on texts, which need no labels; default: where ' +
        'the saliency reads inputs',
    ),
  calibration: z
    .int()
    .min(1)
    .optional()
    .describe(`training texts on which inputs are looked at, labelled or not (default ${CALIBRATION})`),
} as const;

export interface ZeroOptions {
  readonly sparsity?: number | string | undefined;
  readonly pattern?: string | undefined;
  readonly saliency?: string | undefined;
  readonly compete?: Competition | undefined;
  readonly reconstruct?: boolean | undefined;
  readonly calibration?: number | undefined;
  readonly embeddings?: boolean | undefined;
  readonly include: readonly ('classifier' | 'norms' | 'biases')[];
  readonly over: 'matrices' | 'model';
  readonly schedule?: string | undefined;
  readonly every?: number | undefined;
  readonly recover?: unknown;
}

/** What is asked for, with all that nobody said. */
export interface ZerosAsked {
  readonly pattern: Pattern;
  readonly saliency: Saliency;
  readonly compete: Competition;
  readonly reconstruct: boolean;
  readonly calibration: number;
}

export const readsInputs = ({ reads }: Pick<Saliency, 'reads'>): boolean =>
  reads === 'inputs' || reads === 'correlations';

/** A text that is no pattern has its own problem, and asks for nothing else. */
const patternIn = ({ pattern = 'free' }: ZeroOptions): Pattern => {
  const parsed = parsePattern(pattern);
  return 'problem' in parsed ? patternOf('free') : parsed;
};

export const zerosAsked = (given: ZeroOptions): ZerosAsked => {
  const saliency = saliencyOf(given.saliency ?? 'magnitude');
  return {
    pattern: patternIn(given),
    saliency,
    compete: given.compete ?? saliency.competes,
    reconstruct: given.reconstruct ?? readsInputs(saliency),
    calibration: given.calibration ?? CALIBRATION,
  };
};

/** Whether any weights become 0. */
export const makesZeros = (given: ZeroOptions): boolean =>
  given.sparsity !== undefined || zerosAsked(given).pattern.fixed !== undefined;

/** Whether a saliency is nothing but what training teaches it. */
export const isTaught = (saliency: Saliency): boolean =>
  saliency.reads === 'gradients' && saliency.during === 'training';

/** Whether zeros come while recovery trains; others are made at once before, and held. */
export const isGradual = (given: ZeroOptions): boolean => {
  const { saliency, reconstruct } = zerosAsked(given);
  if (given.recover === undefined || !makesZeros(given)) return false;
  const goesOn = saliency.reads === 'weights' || saliency.reads === 'gradients';
  return isTaught(saliency) || (goesOn && !reconstruct && given.schedule !== 'once');
};

/** Steps between two updates of the masks where neither the user nor the saliency says. */
const EVERY = 10;

/** Steps between two updates of the masks while a model trains. */
export const masksEvery = (given: ZeroOptions): number => {
  const { saliency } = zerosAsked(given);
  return given.every ?? (saliency.reads === 'gradients' ? saliency.pace?.masks : undefined) ?? EVERY;
};

/** Whether inputs of products are looked at on texts. */
export const looksAtInputs = (given: ZeroOptions): boolean => {
  const { saliency, reconstruct } = zerosAsked(given);
  return makesZeros(given) && (readsInputs(saliency) || reconstruct);
};

/** Whether labelled texts are learned from, without a weight moving. */
export const looksAtGradients = (given: ZeroOptions): boolean =>
  makesZeros(given) && zerosAsked(given).saliency.reads === 'gradients' && !isGradual(given);

/** What zeros are chosen in. Tables have no inputs, and few kernels would skip a pattern of theirs. */
export const prunableIn = (
  given: ZeroOptions,
): { readonly embeddings: boolean; readonly include: ZeroOptions['include'] } => {
  const { pattern, saliency } = zerosAsked(given);
  const free = pattern.rows * pattern.columns === 1;
  return { embeddings: given.embeddings ?? (free && !readsInputs(saliency)), include: given.include };
};

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const idleKeys = ['saliency', 'pattern', 'compete', 'reconstruct', 'calibration'] as const;

/** Options about zeros where none are made. A text that is no pattern has its own problem, and may have meant how many. */
const idle = (given: ZeroOptions): readonly Problem[] => {
  if ('problem' in parsePattern(given.pattern ?? 'free')) return [];
  return idleKeys.flatMap((key) => {
    const isPattern = key === 'pattern';
    if (given[key] === undefined) return [];
    const why = isPattern ? 'says where zeros stand, and sparsity how many' : 'is about zeros, and none are asked for';
    return [{ path: [key], message: `${key} ${why}: add sparsity, such as '60%'` }];
  });
};

const percent = (share: number): string => `${Number((100 * share).toFixed(4))}%`;

/** A pattern that says the share itself. */
const ofFixed = (given: ZeroOptions, share: number | undefined): readonly Problem[] => {
  const { text, fixed } = zerosAsked(given).pattern;
  if (fixed === undefined) return [];
  const alone = `pattern ${text} makes ${percent(fixed)} of every row zeros`;
  const others = share === undefined || Math.abs(share - fixed) < 1e-9;
  return [
    ...(others
      ? []
      : [
          { path: ['sparsity'], message: `${alone}, not ${given.sparsity}: leave sparsity out, or take pattern: free` },
        ]),
    ...(given.compete === undefined
      ? []
      : [{ path: ['compete'], message: `${alone}, whoever competes: leave compete out` }]),
    ...(given.over === 'matrices'
      ? []
      : [{ path: ['over'], message: `${alone}: a share of the model takes pattern: free` }]),
  ];
};

/** Weights that a pattern or a saliency has nothing to say of. */
const ofOthers = (given: ZeroOptions): readonly Problem[] => {
  const { pattern, saliency } = zerosAsked(given);
  const seeing = readsInputs(saliency);
  const blocks = pattern.rows * pattern.columns > 1;
  const why = seeing
    ? `saliency ${saliency.name} looks at inputs of products`
    : `pattern ${pattern.text} is one of matrices`;
  const vectors = given.include.flatMap((part, i) =>
    part === 'classifier' || !(seeing || blocks)
      ? []
      : [{ path: ['include', i], message: `${why}, and ${part} have none: leave them out` }],
  );
  const tables = seeing && given.embeddings === true;
  return [
    ...vectors,
    ...(tables ? [{ path: ['embeddings'], message: `${why}, and tables have none: leave embeddings out` }] : []),
  ];
};

/** What only training teaches. */
const untaught = (given: ZeroOptions): readonly Problem[] => {
  const { saliency, reconstruct } = zerosAsked(given);
  if (!isTaught(saliency)) return [];
  const learns = `saliency ${saliency.name} is learnt while the model trains`;
  return [
    ...(given.recover === undefined
      ? [{ path: ['saliency'], message: `${learns}: add recover, or take another one` }]
      : []),
    ...(reconstruct
      ? [{ path: ['reconstruct'], message: `${learns}, which moves what stays: leave reconstruct out` }]
      : []),
  ];
};

/** What is wrong with options about zeros; `share` is what sparsity says. */
export const zeroProblems = (given: ZeroOptions, share: number | undefined): readonly Problem[] => {
  if (!makesZeros(given)) return idle(given);
  const { saliency } = zerosAsked(given);
  const walks = saliency.reads === 'correlations' && given.compete === 'model';
  const unread = given.calibration !== undefined && !looksAtInputs(given);
  return [
    ...ofFixed(given, share),
    ...ofOthers(given),
    ...untaught(given),
    ...(walks
      ? [
          {
            path: ['compete'],
            message: `saliency ${saliency.name} goes along one matrix after the other: compete: matrix or row`,
          },
        ]
      : []),
    ...(unread ? [{ path: ['calibration'], message: 'no inputs are looked at: leave calibration out' }] : []),
  ];
};
