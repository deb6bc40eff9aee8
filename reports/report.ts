import type { z } from 'zod';
import type { Immutable } from '../ground/immutable.ts';
import type { measurement } from './schema/latency.ts';
import type { reportSchema } from './schema/report.ts';

/** report.json: the part other tools rely on. What each field means stands in reports/schema. */
export type Report = Immutable<z.infer<typeof reportSchema>>;

export type StageReport = Report['stages'][number];
export type ModelReport = NonNullable<StageReport['model']>;
export type QualityReport = NonNullable<StageReport['quality']>;
export type AnswersReport = NonNullable<Report['answers']>;
export type BaselineReport = NonNullable<Report['data']['baselines']>[string];
export type OverBaseline = NonNullable<StageReport['overBaseline']>;
export type Comparison = StageReport['comparisons'][number];
export type Flip = Comparison['flips']['lost'][number];
export type LatencyReport = StageReport['latency'][number];
export type LoadingReport = NonNullable<StageReport['loading']>;
export type CauseReport = StageReport['causes'][number];
export type GapReport = NonNullable<StageReport['gap']>;
export type TrainingReport = NonNullable<StageReport['training']>;
export type ClientReport = NonNullable<StageReport['client']>;
export type MeasurementReport = Immutable<z.infer<typeof measurement>>;
export type MeasuredOn = NonNullable<MeasurementReport['on']>;
export type LoadReport = NonNullable<MeasurementReport['load']>;
export type SeedsReport = NonNullable<Report['seeds']>;
export type SeedsStage = SeedsReport['stages'][number];
