import { z } from 'zod';
import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import type { Answer } from '../../ground/tasks.ts';
import { givenLayers, type LayerMap } from './layer-map.ts';
import { endOf, endShare, type Scheduled, scheduled } from './scheduled.ts';

/** What student and teacher answer, rows alike. */
export interface Answered {
  readonly student: Value; // (.., width)
  readonly teacher: Value; // (.., width)
  /**
   * Whether the teacher's are log-probabilities of the largest alone, at the temperature of the student, and UNNAMED elsewhere: what
   * they leave over stands for all others together.
   */
  readonly restApart: boolean;
  /** How much each row counts, (..): over an update they come to the weight of the loss. */
  readonly weights: Value;
}

/** Attention of a layer, each (batch, heads, positions, width of a head); scores are (batch, heads, queries, keys). */
export interface AttentionTap {
  readonly heads: number;
  readonly scores: Value;
  readonly queries: Value;
  readonly keys: Value;
  readonly values: Value;
}

/** A layer in the step. */
export interface Layer {
  /** The residual stream behind it, (batch, sequence, width). */
  readonly hidden: Value;
  /** Throws where it has none in pieces. */
  attention(): AttentionTap;
}

/** Nodes of a pair of layers: a number for each token, (batch, sequence). */
type Compare = (student: Layer, teacher: Layer) => Value;

/** What an imitation loss sees of the step while it adds its nodes. */
export interface ImitationScope {
  readonly builder: GraphBuilder;
  /** What kind of answers the data has. */
  readonly answer: Answer;
  /** Where no temperature is written beside the loss. */
  readonly temperature: Scheduled;
  /** Where tokens are, and not padding: (batch, sequence) of 0 and 1. */
  kept(): Value;
  answers(): Answered;
  /** A number, or what a function makes of it, that is fed where it follows a schedule. */
  number(option: string, given: Scheduled, of?: (x: number) => number): Value;
  /** The sum over layers that meet, the mean over tokens: a scalar, the weight of the loss included. */
  layers(map: LayerMap, compare: Compare): Value;
  /** The same over what the first layer reads. */
  embeddings(compare: Compare): Value;
  /** The student's stream at a layer, as wide as the teacher's: through a learned projection where it is not. */
  projected(student: Layer, teacher: Layer): Value;
}

/** Sizes of the two models as far as they are known. */
export interface KnownSizes {
  readonly layers?: number | undefined;
  readonly heads?: number | undefined;
  /** Width of all heads of a layer together. */
  readonly width?: number | undefined;
}

/** What every entry of the list says. */
export interface ImitationEntry {
  readonly uses: string;
  readonly weight: Scheduled;
  /** Share of the steps after which it is left out. */
  readonly until: number;
  /** Whom it looks into, of several teachers. */
  readonly teacher?: string | undefined;
  readonly [option: string]: unknown;
}

/** A problem of an entry, by the path inside of it. */
interface EntryProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What every entry of the list says beside its own options. */
const shared = {
  weight: scheduled(z.number().min(0)).default(1).describe('weight of the loss, or a schedule'),
  until: endShare.default(1).describe('share of the steps after which the loss is left out'),
};

/** What an entry says besides that looks inside. */
const looking = {
  teacher: z.string().optional().describe('id of the teacher that it looks into, where there are several'),
};

type Options = Readonly<Record<string, z.ZodType>>;

/** As far as all entries are alike: the other options are each imitation's own. */
type EntrySchema = z.ZodObject<{ uses: z.ZodLiteral<string> } & typeof shared, z.core.$loose>;

/** One way to imitate a teacher, by its name in YAML. */
export interface Imitation<U extends string = string> {
  readonly uses: U;
  /** A line for docs and the schema. */
  readonly summary: string;
  /** What it reads: answers of some kinds, or layers, or their attention. */
  readonly reads: readonly Answer[] | 'layers' | 'attention' | 'embeddings';
  /** Whether it can do with the largest probabilities of a teacher and what they leave over. */
  readonly takesLargest: boolean;
  /** Whether it compares texts of a pass with each other: a batch in pieces is then not the same. */
  readonly comparesTexts: boolean;
  readonly schema: EntrySchema;
  /** Which layers an entry has meet. */
  layersOf(entry: ImitationEntry): LayerMap;
  /** What planning can know to be wrong with an entry between models of such sizes. */
  problems(entry: ImitationEntry, student: KnownSizes, teacher: KnownSizes): readonly EntryProblem[];
  emit(scope: ImitationScope, entry: ImitationEntry): Value;
}

interface Declared<U extends string, S extends Options> extends Pick<Imitation<U>, 'uses' | 'summary' | 'reads'> {
  readonly comparesTexts?: true;
  readonly takesLargest?: true;
  readonly options: S;
  readonly problems?: (
    options: z.output<z.ZodObject<S>>,
    student: KnownSizes,
    teacher: KnownSizes,
  ) => readonly EntryProblem[];
  emit(scope: ImitationScope, options: z.output<z.ZodObject<S>>): Value;
}

/** Whether a loss reads what models compute inside, so that the teacher itself takes part in the steps. */
export const readsInside = ({ reads }: Pick<Imitation, 'reads'>): boolean => typeof reads === 'string';

/** The option for the layers that meet, with what is usual. */
export const layersOption = (usual: 'uniform' | 'last') =>
  z
    .union([z.enum(['uniform', 'last', 'dynamic']), givenLayers])
    .default(usual)
    .describe(
      'which teacher layer each student layer imitates: spread evenly, the last alone, or each by the student layer that is nearest at the moment; or a map of student to teacher layers, from 0',
    );

const layersIn = z.object({ layers: layersOption('uniform') });

/** The option that softens answers. */
export const temperatureOption = scheduled(z.number().min(0.01).max(100))
  .optional()
  .describe("softens both distributions before they are compared; left out, distill's own temperature");

/** Schedules that the loss itself does not live to see the end of. */
const unended = (entry: Readonly<Record<string, unknown>> & { readonly until: number }): readonly string[] =>
  Object.keys(entry).filter((key) => {
    const given = entry[key];
    return isSchedule(given) && endOf(given) > entry.until && endOf(given) <= 1;
  });

const isSchedule = (given: unknown): given is Exclude<Scheduled, number> =>
  typeof given === 'object' && given !== null && 'schedule' in given && 'until' in given;

/** An imitation with its options typed, hidden behind its own schema so that all fit one list. */
export const defineImitation = <const U extends string, S extends Options>(declared: Declared<U, S>): Imitation<U> => {
  const { uses, summary, reads, comparesTexts = false, takesLargest = false, emit, problems } = declared;
  const own = z.object(declared.options);
  const options: Options = declared.options;
  const shape = {
    ...{ ...options, ...(typeof reads === 'string' ? looking : {}) },
    ...{ uses: z.literal<string>(uses), ...shared },
  };
  const schema = z
    .strictObject(shape)
    .superRefine((entry, ctx) => {
      for (const key of unended(entry)) {
        const message = `the schedule goes on longer than the loss, which is left out after ${entry.until} of the steps: it would never end`;
        ctx.addIssue({ code: 'custom', path: [key, 'until'], message });
      }
    })
    .describe(summary) as EntrySchema;
  return {
    ...{ uses, summary, reads, comparesTexts, takesLargest, schema },
    layersOf: (entry) => layersIn.parse(entry).layers,
    problems: (entry, student, teacher) => problems?.(own.parse(entry), student, teacher) ?? [],
    emit: (scope, entry) => emit(scope, own.parse(entry)),
  };
};
