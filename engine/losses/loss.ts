import type { GraphBuilder } from '../../graph/builder.ts';
import type { Shape } from '../../graph/dim.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import type { Initializer } from '../../models/initialize.ts';
import type { InputRole } from '../../models/signature.ts';
import type { HostTensor } from '../engine.ts';
import type { StepBatch } from '../step-batch.ts';
import type { Beside } from './beside.ts';

/** An input that a loss adds to the step graph, and what it is fed of every batch. */
export interface LossInput {
  /** Losses that ask for the same name share the input. */
  readonly name: string;
  readonly dtype: 'float32' | 'int64';
  readonly shape: Shape | undefined;
  feed(batch: StepBatch): HostTensor;
}

/** What a loss sees of the step graph while it adds its nodes. */
export interface StepScope {
  readonly builder: GraphBuilder;
  /** What the model answers: (batch, width), or (batch, sequence, width) or (answers, width) where it answers about places. */
  readonly answers: Value;
  /** Makes an input, or gives the one of that name that was made before. */
  input(input: LossInput): Value;
  /** The examples as an input of this role takes them, before token dropout: for a teacher that reads along. */
  given(role: InputRole): Value;
  /** Adds a frozen graph without dropout, under a prefix, over inputs of the step; gives the step's name of each of its values. */
  join(graph: Graph, prefix: string, inputs: ReadonlyMap<Value, Value>): (name: Value) => Value;
  /** A value of the student's graph by its name there. */
  student(name: Value): Value;
  /** A parameter that only losses have, made once by its name; it is trained along and thrown away. */
  parameter(name: string, dims: readonly number[], start?: Initializer): Value;
  /** The same numbers, through which the loss is made larger instead of smaller: for multipliers of constraints. */
  ascent(value: Value): Value;
}

/**
 * One term of the training loss: adds nodes that compute a scalar. Means are taken by weights that the host feeds, so
 * that gradients of several batches add up to exactly the gradient of the one large batch.
 */
export interface Loss {
  readonly name: string;
  /** Whether it compares texts of a pass with each other, so that a batch in pieces is not the same. */
  readonly comparesTexts?: boolean;
  emit(scope: StepScope): Value;
}

/** What losses of any task may be asked to heed. */
export interface LossSettings {
  /** Weight of what is known in [0, 1] where there is a teacher, too; the rest goes to the teacher. 1 without one. */
  readonly hard: number;
  readonly temperature: number;
  readonly labelSmoothing: number;
  /** The teacher where it reads along instead of having answered before. */
  readonly beside?: Beside | undefined;
  /** Names of the classes, where a loss reads what they say. */
  readonly classes?: readonly string[] | undefined;
  /** One factor a class, 1 on average. */
  readonly classWeights?: Float64Array | undefined;
}

/** Rows of the answers: their shape without the last axis. */
export const rowsShape = ({ builder, answers }: StepScope): Shape | undefined =>
  builder.type(answers).shape?.slice(0, -1);
