import { bytes, cosine, cosineChange, count, milliseconds, percent, points, range, times } from '../figures.ts';
import type { Gate, GateReport } from './gate.ts';

/** How a gate's figure is written: in the unit of its limit. */
const writerOf = ({ figure, limit }: Gate): ((x: number) => string) => {
  if (limit === 'maxRatio') return times;
  if (figure === 'cosine') return limit === 'maxDrop' ? cosineChange : cosine;
  if (limit === 'maxDrop') return (x) => points(x);
  if (figure === 'accuracy') return percent;
  if (figure === 'p50') return milliseconds;
  return figure.endsWith('ytes') ? bytes : count;
};

const unitOf = ({ figure, limit }: Gate): string => {
  if (limit === 'maxRatio') return ' times';
  if (figure === 'cosine') return '';
  if (limit === 'maxDrop') return ' points';
  return figure === 'accuracy' ? ' %' : figure === 'p50' ? ' ms' : '';
};

const cellOf = ({ batch, length }: Gate): string =>
  [...(batch === null ? [] : [`batch ${batch}`]), ...(length === null ? [] : [`${length} tokens`])].join(', ');

/** What is asked for: "int8 accuracy: at most 0.5 points below teacher". */
export const gateDemand = (gate: Gate): string => {
  const { stage, figure, limit, value, versus } = gate;
  const write = writerOf(gate);
  const cell = cellOf(gate);
  const subject = `${stage} ${figure}${cell === '' ? '' : ` (${cell})`}`;
  switch (limit) {
    case 'min':
      return `${subject}: at least ${write(value)}${unitOf(gate)}`;
    case 'max':
      return `${subject}: at most ${write(value)}${unitOf(gate)}`;
    case 'maxDrop':
      return `${subject}: at most ${write(value).replace(/^\+/, '')}${unitOf(gate)} below ${versus}`;
    case 'maxRatio':
      return `${subject}: at most ${write(value)} times that of ${versus}`;
  }
};

/** What was found: "0.6 [0.0, 1.2] points". */
export const gateFinding = (gate: GateReport): string => {
  const { found, limit } = gate;
  if (found === null) return '';
  const write = writerOf(gate);
  const interval = found.low === found.high ? '' : ` ${range(found, write)}`;
  const below = limit === 'maxDrop' ? ' below' : '';
  return `${write(found.estimate)}${interval}${unitOf(gate)}${below}`;
};

/** One gate in one sentence without a full stop. */
export const gateSentence = (gate: GateReport): string => {
  const found = gateFinding(gate);
  const why = gate.reason === '' ? '' : ` (${gate.reason})`;
  return `${gate.outcome}: ${gateDemand(gate)}${found === '' ? '' : `; found ${found}`}${why}`;
};

const rank: Readonly<Record<GateReport['outcome'], number>> = { failed: 0, undecided: 1, passed: 2 };

/** Failed ones first. */
export const byUrgency = (gates: readonly GateReport[]): readonly GateReport[] =>
  gates.toSorted((a, b) => rank[a.outcome] - rank[b.outcome]);

/** "1 failed, 2 passed", or nothing where there are none. */
export const gateCount = (gates: readonly GateReport[]): string =>
  (['failed', 'undecided', 'passed'] as const)
    .map((outcome) => [gates.filter((gate) => gate.outcome === outcome).length, outcome] as const)
    .filter(([n]) => n > 0)
    .map(([n, outcome]) => `${n} ${outcome}`)
    .join(', ');
