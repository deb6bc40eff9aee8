import { metrics } from '../../ground/metrics/index.ts';
import { canBeLimited } from '../../ground/metrics/metric.ts';
import { bytes, count, milliseconds, range, times } from '../figures.ts';
import { type Written, written } from '../metric.ts';
import type { Gate, GateReport } from './gate.ts';

/** How a gate's figure is written: in the unit of its limit. */
interface Words {
  write(x: number): string;
  readonly unit: string;
}

const isChange = ({ limit }: Gate): boolean => limit === 'maxDrop' || limit === 'maxRise';

const metricFor = ({ figure }: Gate): Written | undefined => {
  const metric = metrics.filter(canBeLimited).find(({ name }) => name === figure);
  return metric && written(metric);
};

const wordsOf = (gate: Gate): Words => {
  const { figure, limit } = gate;
  if (limit === 'maxRatio') return { write: times, unit: ' times' };
  const metric = metricFor(gate);
  if (metric !== undefined)
    return isChange(gate)
      ? { write: metric.writeChange, unit: metric.changeUnit }
      : { write: metric.write, unit: metric.unit };
  if (figure === 'p50') return { write: milliseconds, unit: ' ms' };
  return { write: figure.endsWith('ytes') ? bytes : count, unit: '' };
};

const cellOf = ({ batch, length }: Gate): string =>
  [...(batch === null ? [] : [`batch ${batch}`]), ...(length === null ? [] : [`${length} tokens`])].join(', ');

/** What is asked for: "int8 bytes: at most 2.00 MB". */
export const gateDemand = (gate: Gate): string => {
  const { stage, figure, limit, value, versus } = gate;
  const { write, unit } = wordsOf(gate);
  const cell = cellOf(gate);
  const subject = `${stage} ${figure}${cell === '' ? '' : ` (${cell})`}`;
  switch (limit) {
    case 'min':
      return `${subject}: at least ${write(value)}${unit}`;
    case 'max':
      return `${subject}: at most ${write(value)}${unit}`;
    case 'maxDrop':
      return `${subject}: at most ${write(value).replace(/^\+/, '')}${unit} below ${versus}`;
    case 'maxRise':
      return `${subject}: at most ${write(value).replace(/^\+/, '')}${unit} above ${versus}`;
    case 'maxRatio':
      return `${subject}: at most ${write(value)} times that of ${versus}`;
  }
};

/** What was found: "0.6 [0.0, 1.2] points". */
export const gateFinding = (gate: GateReport): string => {
  const { found, limit } = gate;
  if (found === null) return '';
  const { write, unit } = wordsOf(gate);
  const interval = found.low === found.high ? '' : ` ${range(found, write)}`;
  const side = limit === 'maxDrop' ? ' below' : limit === 'maxRise' ? ' above' : '';
  return `${write(found.estimate)}${interval}${unit}${side}`;
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
