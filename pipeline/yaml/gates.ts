import { metrics } from '../../ground/metrics/index.ts';
import { canBeLimited } from '../../ground/metrics/metric.ts';
import { isRecord } from '../../ground/records.ts';
import { type DatasetTask, dataTask, metricsOf } from '../../ground/tasks.ts';
import { BASELINE, type Gate } from '../../reports/gates/gate.ts';
import { gatesOf, stageGates } from '../../reports/gates/options.ts';
import type { Diagnostic } from '../diagnostic.ts';
import type { Located, Path } from './document.ts';
import { fromZodError } from './issues.ts';
import { nameHints } from './suggest.ts';
import { describeValue } from './values.ts';

interface CheckedGates {
  readonly gates: readonly Gate[];
  readonly problems: readonly Diagnostic[];
}

const unknownStage = (id: string, known: readonly string[], span: Diagnostic['span']): Diagnostic => ({
  code: 'unknown-stage',
  message: `there is no stage "${id}"`,
  span,
  hints: nameHints(id, known, 'stages'),
});

/** What a drop or ratio is taken against has to exist, too. */
const checkVersus = (
  gates: readonly Gate[],
  path: Path,
  known: readonly string[],
  located: Located,
): readonly Diagnostic[] =>
  [...new Map(gates.map((gate) => [gate.figure, gate])).values()].flatMap(({ figure, versus }) =>
    versus === null || versus === BASELINE || known.includes(versus)
      ? []
      : [unknownStage(versus, [...known, BASELINE], located.at([...path, figure, 'versus']))],
  );

/** What gates are checked against: stages that there are, and the task of the data where it is known. */
interface Known {
  readonly known: readonly string[];
  readonly task: DatasetTask | undefined;
}

const limitable = (task: DatasetTask): readonly string[] =>
  metricsOf(dataTask(task))
    .filter(canBeLimited)
    .map(({ name }) => name);

const isMetric = (figure: string): boolean => metrics.some(({ name }) => name === figure);

/** A metric that no model of this data is judged by. */
const checkMetrics = (
  gates: readonly Gate[],
  path: Path,
  task: DatasetTask,
  located: Located,
): readonly Diagnostic[] => {
  const own = limitable(task);
  const strange = new Set(gates.map(({ figure }) => figure).filter((name) => isMetric(name) && !own.includes(name)));
  return [...strange].map((figure) => {
    const [hint = ''] = nameHints(figure, own, 'metrics');
    return {
      code: 'other-metric',
      message: `models of data for ${task} are not judged by ${figure}`,
      span: located.key([...path, figure]),
      hints: hint.startsWith('did you mean') ? [hint] : [`did you mean "${own[0]}"?`, hint],
    };
  });
};

const checkStage = (id: string, value: unknown, path: Path, { known, task }: Known, located: Located): CheckedGates => {
  const strange = known.includes(id) ? [] : [unknownStage(id, known, located.key(path))];
  const parsed = stageGates.safeParse(value ?? {});
  if (!parsed.success) {
    const context = { located, base: path, owner: `the gates of "${id}"`, schema: stageGates };
    return { gates: [], problems: [...strange, ...fromZodError(parsed.error, context)] };
  }
  const gates = gatesOf(id, parsed.data);
  const others = task === undefined ? [] : checkMetrics(gates, path, task, located);
  return { gates, problems: [...strange, ...others, ...checkVersus(gates, path, known, located)] };
};

/** Gates by stage id, at a path of a file; every problem at its place. */
export const checkGates = (value: unknown, path: Path, known: Known, located: Located): CheckedGates => {
  // What is no mapping was complained about with the head of the file.
  if (!isRecord(value)) return { gates: [], problems: [] };
  const stages = Object.entries(value).map(([id, gates]) => checkStage(id, gates, [...path, id], known, located));
  return { gates: stages.flatMap(({ gates }) => gates), problems: stages.flatMap(({ problems }) => problems) };
};

/** The gates of a file of their own: `gates:` on top, or stage ids. */
export const checkGateFile = (located: Located, against: Known): CheckedGates => {
  const { value } = located;
  const wrapped = isRecord(value) && 'gates' in value && !against.known.includes('gates');
  const path: Path = wrapped ? ['gates'] : [];
  const gates = wrapped ? value.gates : value;
  if (isRecord(gates)) return checkGates(gates, path, against, located);
  const message = `the gates are ${describeValue(gates)}; expected a mapping of stage ids, such as { int8: { bytes: { max: 2MB } } }`;
  return { gates: [], problems: [{ code: 'wrong-type', message, span: located.at(path), hints: [] }] };
};
