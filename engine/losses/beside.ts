import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import type { Model } from '../../models/model.ts';
import type { State } from '../../models/signature.ts';
import type { StepScope } from './loss.ts';

/** A teacher that reads along in the step, frozen and without dropout: what it says is about the very input of the update. */
export interface Beside {
  readonly model: Model;
  /** Its id of each of the student's tokens, where these differ. */
  readonly ids?: Int32Array | undefined;
}

/** The name under which a value of the teacher's graph goes on in the step graph. */
type Resolve = (name: Value) => Value;

/** The student's numbers of tokens as the teacher has them. */
export const teacherIds = ({ builder }: StepScope, ids: Int32Array): Value =>
  builder.constant(tensorOf('int64', [ids.length], BigInt64Array.from(ids, BigInt)));

/** A state of as many examples as are read, of which nothing was read before. */
const empty = ({ builder, given }: StepScope, { axes }: State): Value => {
  const rows = builder.op('Shape', [given('tokens')], { start: 0, end: 1 });
  const others = axes.slice(1).map((axis) => (typeof axis === 'number' ? axis : 0));
  return builder.op('ConstantOfShape', [builder.op('Concat', [rows, builder.ints(others)], { axis: 0 })]);
};

/** What the teacher's inputs are in the step: what the student was given, in the teacher's ids. */
const readAlong = (scope: StepScope, { model, ids }: Beside): ReadonlyMap<Value, Value> => {
  const { inputs, states } = model.info.signature;
  return new Map([
    ...inputs.map(({ name, role }): [Value, Value] => {
      const given = scope.given(role);
      const translated = role === 'tokens' && ids !== undefined;
      return [name, translated ? scope.builder.op('Gather', [teacherIds(scope, ids), given]) : given];
    }),
    ...states.map((state): [Value, Value] => [state.past, empty(scope, state)]),
  ]);
};

/** Losses that read one teacher share its nodes. */
const made = new WeakMap<GraphBuilder, Map<Beside, Resolve>>();

/** The teacher's graph in the step. */
export const teacherIn = (scope: StepScope, teacher: Beside): Resolve => {
  const { builder } = scope;
  const known = made.get(builder) ?? new Map<Beside, Resolve>();
  made.set(builder, known);
  const prefix = known.size === 0 ? 'teacher/' : `teacher-${known.size + 1}/`;
  const frozen = known.get(teacher) ?? scope.join(teacher.model.graph, prefix, readAlong(scope, teacher));
  known.set(teacher, frozen);
  return frozen;
};
