import type { Rows } from '../../../data/rows.ts';
import type { Answer } from '../../../ground/tasks.ts';

/** Texts without labels, of which some are to be taken. */
export interface Candidates {
  readonly count: number;
  readonly seed: number;
  readonly answer: Answer;
  /** Answers about text t are the rows from starts[t] up to starts[t + 1]. */
  starts(): Int32Array;
  /** What the teacher said about them; of several what they say together. */
  teacher(): Rows;
  /** What each of several teachers said. */
  teachers(): readonly Rows[];
  /** What the student says as it comes in. */
  student(): Promise<Rows>;
}

/** A way to choose texts to be taught on. */
export interface Selection<N extends string = string> {
  readonly name: N;
  readonly summary: string;
  /** Whose answers it looks at. */
  readonly reads: 'student' | 'teachers' | 'nothing';
  /** A number a text: those with the largest are taken. */
  scores(candidates: Candidates): Promise<Float64Array> | Float64Array;
}
