import type { Value } from '../../graph/graph.ts';
import { modelError, stageError } from '../../ground/errors.ts';
import type { Answer } from '../../ground/tasks.ts';
import type { AttentionPlace, LayerPlace, Taps } from '../../models/anatomy/taps.ts';
import type { Initializer } from '../../models/initialize.ts';
import { type Beside, teacherIn } from './beside.ts';
import type { AttentionTap, ImitationEntry, ImitationScope, Layer } from './imitation.ts';
import { imitationOf } from './imitations/index.ts';
import { missingLayers, pairGroups } from './layer-map.ts';
import type { Loss, LossSettings, StepScope } from './loss.ts';
import { numberAt, type Scheduled } from './scheduled.ts';
import { teacherAnswers, teacherWeights } from './teacher.ts';

/** A student and a teacher that reads along, with the points at which they meet. */
interface Inside {
  readonly student: Taps;
  readonly teacher: Taps;
  readonly beside: Beside;
  /** Whether channels of the student's stream are about to go: what is left then stands for the teacher's through a projection. */
  readonly narrows?: boolean;
}

/** What losses that imitate are made for. */
export interface ImitationContext extends Pick<LossSettings, 'hard' | 'temperature' | 'beside'> {
  readonly answer: Answer;
  /** Whether a teacher told the largest of its probabilities, over a temperature, and what they leave over. */
  readonly restApart?: boolean;
  /** Where a loss reads what models compute inside. */
  readonly inside?: Inside | undefined;
}

/** A layer on its way into the step, by the name of its projection. */
interface Placed extends Layer {
  readonly called: string;
}

type Resolve = (name: Value) => Value;

/** Queries, keys and values without the scale that some graphs multiply into them, (batch, heads, positions, width). */
const tapAt = ({ builder }: StepScope, resolve: Resolve, place: AttentionPlace): AttentionTap => {
  const plain = ({ value, scale }: AttentionPlace['queries']): Value =>
    scale === 1 ? resolve(value) : builder.op('Mul', [resolve(value), builder.scalar('float32', 1 / scale)]);
  const keys = plain(place.keys);
  return {
    heads: place.heads,
    scores: resolve(place.scores),
    queries: plain(place.queries),
    keys: place.keys.turned ? builder.op('Transpose', [keys], { perm: [0, 1, 3, 2] }) : keys,
    values: plain(place.values),
  };
};

const layerAt = (scope: StepScope, resolve: Resolve, { hidden, attention }: LayerPlace, called: string): Placed => ({
  called,
  hidden: resolve(hidden),
  attention: () => {
    if (typeof attention === 'string') throw new Error(`layer ${called}: ${attention}`);
    return tapAt(scope, resolve, attention);
  },
});

const widthOf = ({ builder }: StepScope, hidden: Value): number => {
  const width = builder.type(hidden).shape?.at(-1);
  if (typeof width !== 'number') throw modelError(`the width of the hidden state '${hidden}' is not known`);
  return width;
};

const found = <T>(places: readonly T[], at: number): T => {
  const place = places[at];
  if (place === undefined) throw new Error(`there is no layer ${at}`);
  return place;
};

interface Emission {
  readonly scope: StepScope;
  readonly entry: ImitationEntry;
  readonly term: string;
  readonly context: ImitationContext;
}

/** A number as a constant, or as an input that follows its schedule. */
const numberOf = ({ scope, term }: Emission): ImitationScope['number'] => {
  return (option: string, given: Scheduled, of: (x: number) => number = (x) => x) => {
    if (typeof given === 'number') return scope.builder.scalar('float32', of(given));
    return scope.input({
      ...{ name: `${term}/${option}`, dtype: 'float32', shape: [] },
      feed: ({ done }) => ({ dtype: 'float32', dims: [], data: Float32Array.of(of(numberAt(given, done))) }),
    });
  };
};

const answersOf = ({ scope, entry, term, context }: Emission): ImitationScope['answers'] => {
  const { hard, beside, restApart = false } = context;
  const { weight } = entry;
  return () => ({
    ...{ student: scope.answers, restApart },
    teacher: teacherAnswers(scope, beside, restApart),
    weights: teacherWeights(scope, { hard, beside, term, weight }),
  });
};

/** What a token counts: the weight of the loss over the tokens of the update. */
const tokenWeight = ({ scope, entry, term }: Emission): Value =>
  scope.input({
    ...{ name: `${term}/token_weight`, dtype: 'float32', shape: [] },
    feed: ({ size, done }) => ({
      ...{ dtype: 'float32', dims: [] },
      data: Float32Array.of(numberAt(entry.weight, done) / size.tokens),
    }),
  });

const insideOf = ({ context, entry }: Emission): Inside => {
  if (context.inside === undefined) throw new Error(`the loss '${entry.uses}' needs the model of the teacher`);
  return context.inside;
};

/** Sums over what meets, of the nearest of each group: a scalar. */
const comparing = (emission: Emission): Pick<ImitationScope, 'layers' | 'embeddings' | 'kept'> => {
  const { scope } = emission;
  const { builder } = scope;
  const kept = (): Value => builder.op('Cast', [scope.given('mask')], { to: 1 });
  const resolvers = (): readonly [Resolve, Resolve] => [
    (name) => scope.student(name),
    (name) => teacherIn(scope, insideOf(emission).beside)(name),
  ];
  const overTokens = (perToken: Value): Value =>
    builder.op('ReduceSum', [builder.op('Mul', [perToken, kept()])], { keepdims: 0 });
  const sum = (all: readonly Value[]): Value =>
    builder.op('Mul', [all.reduce((a, b) => builder.op('Add', [a, b])), tokenWeight(emission)]);
  return {
    kept,
    layers: (map, compare) => {
      const { student, teacher } = insideOf(emission);
      const [own, theirs] = resolvers();
      const at = (resolve: Resolve, taps: Taps, i: number) => layerAt(scope, resolve, found(taps.layers, i), `${i}`);
      const groups = pairGroups(map, { student: student.layers.length, teacher: teacher.layers.length });
      return sum(
        groups.map((pairs) => {
          const all = pairs.map(([from, to]) => overTokens(compare(at(own, student, from), at(theirs, teacher, to))));
          return all.length === 1 ? found(all, 0) : builder.op('Min', all);
        }),
      );
    },
    embeddings: (compare) => {
      const { student, teacher } = insideOf(emission);
      const [own, theirs] = resolvers();
      const at = (resolve: Resolve, { embeddings }: Taps): Placed => {
        if (embeddings === undefined) throw new Error('there is no layer, and so nothing that the first of them reads');
        return layerAt(scope, resolve, { hidden: embeddings, attention: 'embeddings have none' }, 'embeddings');
      };
      return sum([overTokens(compare(at(own, student), at(theirs, teacher)))]);
    },
  };
};

/** The student's stream as wide as the teacher's: each layer has one projection, whichever layers it meets. */
const projecting = ({ scope, term, context }: Emission): ImitationScope['projected'] => {
  const made = new Map<string, Value>();
  return (student, teacher) => {
    const dims = [widthOf(scope, student.hidden), widthOf(scope, teacher.hidden)];
    const agree = dims[0] === dims[1];
    if (agree && context.inside?.narrows !== true) return student.hidden;
    const start: Initializer = { kind: agree ? 'identity' : 'xavier' };
    const called = `${term}_projection.${'called' in student ? student.called : ''}.weight`;
    const known =
      made.get(called) ?? scope.builder.op('MatMul', [student.hidden, scope.parameter(called, dims, start)]);
    made.set(called, known);
    return known;
  };
};

/** Why a loss cannot read two models; undefined where it can. */
const problemInside = (entry: ImitationEntry, { student, teacher }: Inside): string | undefined => {
  const { uses } = entry;
  const { reads, layersOf } = imitationOf(uses);
  if (reads === 'embeddings') {
    return student.embeddings !== undefined && teacher.embeddings !== undefined
      ? undefined
      : `the loss '${uses}' compares what the first layers read, and a model has no layers`;
  }
  const layers = layersOf(entry);
  const depths = { student: student.layers.length, teacher: teacher.layers.length };
  if (depths.student === 0 || depths.teacher === 0) {
    return `the loss '${uses}' compares layers, but the student has ${depths.student} and the teacher ${depths.teacher}`;
  }
  const [missing] = missingLayers(layers, depths);
  if (missing !== undefined) return `the loss '${uses}': ${missing.message}`;
  if (reads !== 'attention') return undefined;
  const met = pairGroups(layers, depths).flat();
  const sides = [
    ...met.map(([from]) => ['student', from, student] as const),
    ...met.map(([, to]) => ['teacher', to, teacher] as const),
  ];
  const closed = sides.find(([, at, taps]) => typeof taps.layers[at]?.attention === 'string');
  if (closed === undefined) return undefined;
  const [who, at, taps] = closed;
  return `the loss '${uses}' looks at the attention of layer ${at} of the ${who}: ${taps.layers[at]?.attention}`;
};

/** The loss that an entry of the list asks for; `term` is what it is called among the others. */
export const imitate = (entry: ImitationEntry, context: ImitationContext, term = entry.uses): Loss => {
  const imitation = imitationOf(entry.uses);
  const problem = context.inside === undefined ? undefined : problemInside(entry, context.inside);
  if (problem !== undefined) throw stageError(problem);
  return {
    name: term,
    comparesTexts: imitation.comparesTexts,
    emit: (scope) => {
      const emission = { scope, entry, term, context };
      const { builder } = scope;
      const { answer, temperature } = context;
      return imitation.emit(
        {
          ...{ builder, answer, temperature, ...comparing(emission) },
          answers: answersOf(emission),
          number: numberOf(emission),
          projected: projecting(emission),
        },
        entry,
      );
    },
  };
};
