import type { z } from 'zod';
import type { Engine } from '../engine/engine.ts';
import type { TrainRequest } from '../engine/train-request.ts';
import type { ArtifactKind, InputArtifact } from '../ground/artifact.ts';
import type { Checkpoints } from '../ground/checkpoints.ts';
import type { Immutable } from '../ground/immutable.ts';
import type { Json, Metrics } from '../ground/json.ts';
import type { Watched } from '../ground/memory.ts';
import type { Progress } from '../ground/progress.ts';
import type { DatasetTask } from '../ground/tasks.ts';
import type { Effort, Foreseen, Outlook, SampledTexts, TextCounts } from './expected.ts';
import type { Place } from './place.ts';

export interface StageContext {
  /** Opens what the step runs its graphs on, once; the CPU for stages that know no other. */
  engine(): Promise<Engine>;
  /** Seed for named streams; 0 for stages that draw nothing. */
  readonly seed: number;
  readonly threads: number;
  /** Aborted on Ctrl-C: save a checkpoint and throw `signal.reason` soon (within a second or two). */
  readonly signal: AbortSignal;
  readonly checkpoints: Checkpoints;
  progress(progress: Progress): void;
  /** A line for the event log and, in verbose views, for people. */
  log(message: string): void;
  /** What the step may hold in memory, where that is watched. */
  readonly memory?: Watched;
  /** An empty folder to write the named output into; published atomically when `run` returns. */
  output(name: string, kind: ArtifactKind): Promise<string>;
  /** Folder of the YAML file: relative paths in configs are resolved against it. */
  readonly base: string;
  /** The user forbids the network: what would have to be downloaded fails. */
  readonly offline: boolean;
}

/** Refers to an output of another step of the plan. */
export interface Ref {
  readonly step: string;
  readonly output: string;
}

/** What a stage may ask of the plan while it declares its inputs. Steps it asks for are shared when they are equal. */
export interface Wiring {
  /** The model of a stage by id; reports "did you mean" at the key `path` (e.g. ['teacher']) when there is none. */
  model(id: string, path: readonly (string | number)[]): Ref;
  /** The default input: the stage before. Reported as a problem when there is none. */
  previous(): Ref;
  /** The pipeline's dataset. */
  dataset(): Ref;
  /** What it is for; undefined where its section is wrong. */
  readonly task?: DatasetTask | undefined;
  /** An internal step (label, ...) with its own cache entry, progress line and seconds. */
  step(uses: string, config: Json, inputs: Readonly<Record<string, Ref>>): Ref;
  /** A problem with the configuration, found before anything runs. */
  problem(path: readonly (string | number)[], message: string): void;
}

/** The sections of a file besides its stages, as they are written. */
export type Sections = Readonly<Record<string, unknown>>;

/** What a plan knows of the model that a step is about. */
export interface ModelRole {
  /** Whether a client reads such a model: it is the first of a chain, or is exported. */
  readonly meetsClients: boolean;
}

/** What a file may say of a stage that stands in a plan on its own. */
export interface Section {
  readonly name: string;
  readonly schema: z.ZodType;
  readonly summary: string;
}

/** How a stage comes to a plan without being named in the file. */
interface Automatic {
  /** The options of its step; undefined where the file leaves it out. */
  options(sections: Sections, model: ModelRole): unknown;
  readonly section?: Section;
}

/**
 * One kind of stage: a typed configuration and a function from artifacts to artifacts. A step runs from its plan as JSON
 * and a store path alone, in any process.
 */
export interface Stage<C, M> {
  readonly uses: string;
  /** Part of the cache key: raise it whenever outputs change for equal inputs. */
  readonly version: number;
  /** One line for help, docs and the schema. */
  readonly summary: string;
  /** Options in YAML besides id, uses and from. */
  readonly config: z.ZodType<C>;
  /** Only those that are named are offered in YAML. */
  readonly place: Place;
  /** For stages that nobody names or asks for. */
  readonly automatic?: Automatic;
  /** What it leaves for the report beside its artifacts. */
  readonly metrics: z.ZodType<M>;
  /** What the stage makes: 'model' is followed by evaluation; 'folder' (export) is not. */
  readonly makes: ArtifactKind;
  /** True when random streams are drawn: only then does the seed belong to the cache key. */
  readonly draws: boolean | ((config: C) => boolean);
  /**
   * What of the machine belongs to the cache key: 'runtime' (the default) is ONNX Runtime's version, provider and threads;
   * 'machine' adds the CPU, for measurements; 'engines' adds every device that is there; 'none' is for steps that run no graphs.
   */
  readonly environment?: 'none' | 'runtime' | 'machine' | 'engines';
  /** Whether it runs its graphs on the engine that a file names for it; else on the CPU. */
  readonly choosesEngine?: true;
  /** Engines that its options name as `engines`: their devices and versions belong to the key. */
  engines?(config: C): readonly string[];
  /** For stages that train: the training that a run would do, so that engines can be tried on it. */
  readonly trains?: {
    /** Whether a run with these options trains at all. */
    when(config: C): boolean;
    /** Texts of one pass. */
    pass(config: C): TrainingPass;
    readonly training: TrainingOfRun<C>;
  };
  /** Named inputs of `from:` when it takes several ({ fp32: student, q8: int8 }); default is one, called 'model'; [] for none. */
  readonly from?: readonly string[];
  /** What the weights of its model are stored in, where that is not floats. */
  readonly stores?: 'fewer bits';
  /** What the weights of its input models have to be stored in, by the name of the input; either where it is not said. */
  readonly takes?: Readonly<Record<string, 'floats' | 'fewer bits'>>;
  /** Inputs beyond `from`: dataset, teachers. Called at planning time. */
  wire(config: C, wiring: Wiring): Readonly<Record<string, Ref>>;
  /** Absolute paths of outside files whose contents belong to the key (csv files, npm packages). */
  sources?(config: C, base: string): Promise<readonly string[]>;
  /** What can be known of its result, and of what would stop it, before anything runs. Sound: what it refuses a run would, too. */
  foresee?(config: C, outlook: Outlook): Promise<Foreseen> | Foreseen;
  /** Tokens of texts as the model will read them that a chain begins with here; undefined where it begins elsewhere. */
  lengths?(config: C, texts: SampledTexts): Promise<readonly number[] | undefined>;
  /** How much there is to do, over so many models. */
  effort?(config: C, texts: TextCounts, models: number): Effort;
  run(inputs: Readonly<Record<string, InputArtifact>>, config: C, ctx: StageContext): Promise<NoInfer<Immutable<M>>>;
}

/** How many texts go together. */
interface TrainingPass {
  readonly batch: number;
  /** Whether layers are computed once more in the backward pass. */
  readonly recompute?: boolean | undefined;
}

/** What a stage would train, from what its run is given. Nothing is written. */
export type TrainingOfRun<C> = (
  inputs: Readonly<Record<string, InputArtifact>>,
  config: C,
  ctx: StageContext,
) => Promise<TrainRequest>;

/**
 * What a stage does. It stands in a module of its own, which loads when the stage runs: a plan reads declarations alone, and
 * a run that finds everything in the store would wait for the modules longer than for anything else.
 */
export type StageRun<C, M> = Stage<C, M>['run'];

/** A stage whose configuration type is hidden, as lists and plans hold it: config is parsed by its own schema first. */
export type AnyStage = Omit<
  Stage<never, never>,
  'config' | 'metrics' | 'draws' | 'trains' | 'wire' | 'sources' | 'engines' | 'foresee' | 'lengths' | 'effort' | 'run'
> & {
  readonly config: z.ZodType;
  draws(config: unknown): boolean;
  readonly trains?: {
    when(config: unknown): boolean;
    pass(config: unknown): TrainingPass;
    readonly training: TrainingOfRun<unknown>;
  };
  readonly metrics: z.ZodType;
  wire(config: unknown, wiring: Wiring): Readonly<Record<string, Ref>>;
  sources?(config: unknown, base: string): Promise<readonly string[]>;
  engines?(config: unknown): readonly string[];
  foresee?(config: unknown, outlook: Outlook): Promise<Foreseen> | Foreseen;
  lengths?(config: unknown, texts: SampledTexts): Promise<readonly number[] | undefined>;
  effort?(config: unknown, texts: TextCounts, models: number): Effort;
  run(inputs: Readonly<Record<string, InputArtifact>>, config: unknown, ctx: StageContext): Promise<Metrics>;
};

/** Metrics are JSON: whoever reads them reads a file. */
const asJson = (metrics: unknown): Metrics => JSON.parse(JSON.stringify(metrics));

/** Hides the configuration type of a stage behind its own schema, so that stages of all kinds fit one list. */
export const defineStage = <C, M>(stage: Stage<C, M>): AnyStage => {
  const { trains, draws, ...others } = stage;
  const { sources, engines, foresee, lengths, effort } = others;
  return {
    ...others,
    draws: (config) => (typeof draws === 'boolean' ? draws : draws(stage.config.parse(config))),
    ...(trains === undefined
      ? {}
      : {
          trains: {
            when: (config: unknown) => trains.when(stage.config.parse(config)),
            pass: (config: unknown) => trains.pass(stage.config.parse(config)),
            training: async (inputs, config, ctx) => await trains.training(inputs, stage.config.parse(config), ctx),
          },
        }),
    wire: (config, wiring) => stage.wire(stage.config.parse(config), wiring),
    ...(sources === undefined
      ? {}
      : { sources: async (config: unknown, base: string) => await sources(stage.config.parse(config), base) }),
    ...(engines === undefined ? {} : { engines: (config: unknown) => engines(stage.config.parse(config)) }),
    ...(foresee === undefined
      ? {}
      : { foresee: (config: unknown, outlook: Outlook) => foresee(stage.config.parse(config), outlook) }),
    ...(lengths === undefined
      ? {}
      : { lengths: (config: unknown, texts: SampledTexts) => lengths(stage.config.parse(config), texts) }),
    ...(effort === undefined
      ? {}
      : {
          effort: (config: unknown, texts: TextCounts, models: number) =>
            effort(stage.config.parse(config), texts, models),
        }),
    run: async (inputs, config, ctx) => asJson(await stage.run(inputs, stage.config.parse(config), ctx)),
  };
};
