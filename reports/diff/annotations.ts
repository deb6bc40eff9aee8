import type { GateReport } from '../gates/gate.ts';
import { byUrgency, gateSentence } from '../gates/words.ts';
import { oneLine } from '../text.ts';
import type { Diff } from './diff.ts';
import { viewOf } from './view.ts';

type Level = 'error' | 'warning' | 'notice';

/** Data of a workflow command: what ends a line or a command is encoded (actions/toolkit, core/src/command.ts). */
const data = (text: string): string => oneLine(text).replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');

const property = (text: string): string => data(text).replace(/:/g, '%3A').replace(/,/g, '%2C');

const annotation = (level: Level, title: string, message: string): string =>
  `::${level} title=${property(title)}::${data(message)}\n`;

/** Gates as GitHub shows them at a pull request; `strict` makes an undecided one an error. */
export const gateAnnotations = (gates: readonly GateReport[], strict: boolean): string =>
  byUrgency(gates)
    .filter(({ outcome }) => outcome !== 'passed')
    .map((gate) => {
      const level = gate.outcome === 'failed' || strict ? 'error' : 'warning';
      return annotation(level, `decant gate ${gate.outcome}`, gateSentence(gate));
    })
    .join('');

/** Gates, differences and refusals as GitHub annotations, one line each. */
export const diffAnnotations = (diff: Diff, strict: boolean): string => {
  const view = viewOf(diff);
  const differences = view.rows
    .filter(({ clear }) => clear)
    .map((row) => {
      const bad = row.verdict === 'worse' || row.verdict === 'slower';
      const text = `${row.stage} ${row.figure}: ${row.before} -> ${row.after}, ${row.change}`;
      return annotation(bad ? 'warning' : 'notice', `decant: ${row.verdict}`, text);
    });
  const refused = view.facts.find(({ kind }) => kind === 'refusals')?.items ?? [];
  return [
    gateAnnotations(diff.gates, strict),
    ...differences,
    ...refused.map((text) => annotation('notice', 'decant: not compared', text)),
  ].join('');
};
