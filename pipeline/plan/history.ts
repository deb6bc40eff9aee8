import { z } from 'zod';
import { defaultEngine } from '../../engine/engines/index.ts';
import type { Metrics } from '../../ground/json.ts';
import type { Effort, TextCounts } from '../../stages/expected.ts';
import type { AnyStage } from '../../stages/stage.ts';
import type { StepRecord } from '../store/record.ts';
import type { Plan, Step } from './plan.ts';

const counts: z.ZodType<TextCounts> = z.object({
  train: z.number(),
  unlabelled: z.number(),
  validation: z.number(),
  test: z.number(),
});

/** Texts of each kind, where the metrics of a step say how many it read. */
const countsIn = (metrics: Metrics): TextCounts | undefined => {
  const parsed = counts.safeParse(metrics);
  return parsed.success ? parsed.data : undefined;
};

/** Texts that a run reads, once it has read them. */
export const textsIn = (
  { dataset }: Pick<Plan, 'dataset'>,
  done: ReadonlyMap<string, StepRecord>,
): TextCounts | undefined => {
  const record = done.get(dataset);
  return record === undefined ? undefined : countsIn(record.metrics);
};

/** Texts of each kind by the digest of the data. */
const datasets = (records: readonly StepRecord[]): ReadonlyMap<string, TextCounts> =>
  new Map(
    records.flatMap(({ outputs, metrics }) => {
      const made = Object.values(outputs).find(({ kind }) => kind === 'dataset');
      const read = made === undefined ? undefined : countsIn(metrics);
      return made === undefined || read === undefined ? [] : [[made.digest, read] as const];
    }),
  );

/** Where a step's graphs run; undefined where that is still to be chosen. */
const engineOf = ({ engine = defaultEngine }: Pick<Step, 'engine'>): string | undefined =>
  typeof engine === 'string' ? engine : undefined;

const ranOn = ({ fingerprint: { environment } }: StepRecord): unknown => environment.provider ?? defaultEngine;

/** A pass forward is a third of an update; what reads without a model is quick. */
const [FORWARD, READING] = [1 / 3, 1 / 1000];

/** Work as a number that compares with that of other settings. */
const asOne = ({ trained = 0, asked = 0, alone = 0, read = 0, seconds = 0 }: Effort): number =>
  trained + FORWARD * (asked + alone) + READING * read + (trained + asked + alone + read === 0 ? seconds : 0);

/** Inputs beside the data. */
const modelsOf = (inputs: Readonly<Record<string, unknown>>): number =>
  Object.keys(inputs).filter((name) => name !== 'dataset').length;

/** What earlier runs tell of the steps of a pipeline. */
export class History {
  readonly #records: readonly StepRecord[];
  readonly #datasets: ReadonlyMap<string, TextCounts>;

  /** Records come newest first. */
  constructor(records: readonly StepRecord[]) {
    this.#records = records;
    this.#datasets = datasets(records);
  }

  /** Whether the step itself has run. */
  knows(pipeline: string, step: string): boolean {
    return this.#records.some((record) => record.pipeline === pipeline && record.step === step);
  }

  /** The newest run of the step, or failing that of any of its kind; on the same engine, if there is one. */
  nearest(pipeline: string, step: Pick<Step, 'id' | 'uses' | 'engine'>): StepRecord | undefined {
    const own = this.#records.filter((record) => record.pipeline === pipeline && record.step === step.id);
    const alike = own.length > 0 ? own : this.#records.filter(({ fingerprint }) => fingerprint.uses === step.uses);
    const engine = engineOf(step);
    return alike.find((record) => ranOn(record) === engine) ?? alike[0];
  }

  /** Texts that a step read which has ended. */
  textsOf({ fingerprint }: StepRecord): TextCounts | undefined {
    return Object.values(fingerprint.inputs).flatMap((digest) => this.#datasets.get(digest) ?? [])[0];
  }

  /**
   * Seconds that a step should take: those of the nearest run, by how much more or less there is to do now. Where nobody knows
   * how many texts there are it is as many as then.
   */
  seconds(pipeline: string, step: Step, stage: AnyStage | undefined, texts?: TextCounts): number | undefined {
    const record = this.nearest(pipeline, step);
    return record === undefined ? undefined : record.seconds * this.#growth(record, step, stage, texts);
  }

  #growth(record: StepRecord, { config, inputs }: Step, stage: AnyStage | undefined, given?: TextCounts): number {
    const before = this.textsOf(record);
    if (stage?.effort === undefined || before === undefined || record.fingerprint.uses !== stage.uses) return 1;
    // Options of an earlier version may mean something else.
    if (!stage.config.safeParse(record.fingerprint.config).success) return 1;
    const [then, now] = [
      asOne(stage.effort(record.fingerprint.config, before, modelsOf(record.fingerprint.inputs))),
      asOne(stage.effort(config, given ?? before, modelsOf(inputs))),
    ];
    return then > 0 && now > 0 ? now / then : 1;
  }
}
