import type { DiffSide } from '../../reports/diff/compare.ts';
import type { Gate } from '../../reports/gates/gate.ts';
import { requestProblems } from '../diagnostic.ts';
import { locate, parseYaml } from './document.ts';
import { checkGateFile } from './gates.ts';
import { readSource } from './source.ts';

const purpose = {
  name: 'a file of gates in YAML',
  hint: 'Name a file of gates such as { int8: { bytes: { max: 2MB } } }',
};

/** The gates of a file. Throws every problem at once, at its place. */
export const gatesIn = async (file: string, sides: readonly DiffSide[]): Promise<readonly Gate[]> => {
  const source = await readSource(file, purpose);
  const { document, problems: syntax } = parseYaml(source);
  if (syntax.length > 0) throw requestProblems(syntax);
  const { located, problems: unfolding } = locate(document, source);
  if (unfolding.length > 0) throw requestProblems(unfolding);
  const known = [...new Set(sides.flatMap(({ report }) => report.stages.map(({ id }) => id)))];
  const task = sides.at(-1)?.report.data.task;
  const { gates, problems } = checkGateFile(located, { known, task });
  if (problems.length > 0) throw requestProblems(problems);
  return gates;
};
