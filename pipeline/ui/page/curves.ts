import type { CurvePoint } from '../shapes.ts';
import { across, around, colour, picture, upwards } from './axes.ts';
import { charted, drawn, element } from './dom.ts';

/** A figure of a curve's points, and what stands over its picture. */
interface Kind {
  readonly title: string;
  readonly figure: (point: CurvePoint) => number | null;
  readonly marked: boolean;
}

interface Spot {
  readonly step: number;
  readonly value: number;
}

interface Curve {
  readonly stage: string;
  readonly colour: string;
  readonly spots: readonly Spot[];
}

const curvesOf = (points: readonly CurvePoint[], figure: Kind['figure']): readonly Curve[] => {
  const stages = [...new Set(points.map(({ stage }) => stage))];
  return stages.flatMap((stage, i) => {
    const spots = points.flatMap((point) => {
      const value = point.stage === stage ? figure(point) : null;
      return value === null ? [] : [{ step: point.step, value }];
    });
    return spots.length === 0 ? [] : [{ stage, colour: colour(i), spots }];
  });
};

const short = (value: number): string => `${Number(value.toPrecision(3))}`;

const lastOf = ({ stage, spots }: Curve): string => `${stage} ${short(spots.at(-1)?.value ?? 0)}`;

const legend = (curves: readonly Curve[]): HTMLElement =>
  element(
    'ul',
    { class: 'legend' },
    ...curves.map((curve) => {
      const line = drawn('line', { x1: 0, x2: 20, y1: 6, y2: 6, stroke: curve.colour, 'stroke-width': 3 });
      const key = drawn('svg', { viewBox: '0 0 20 12', 'aria-hidden': 'true' }, line);
      return element('li', {}, key, ` ${lastOf(curve)}`);
    }),
  );

const chart = (points: readonly CurvePoint[], { title, figure, marked }: Kind): HTMLElement | null => {
  const curves = curvesOf(points, figure);
  if (curves.length === 0) return null;
  const all = curves.flatMap(({ spots }) => spots);
  const x = around('updates', [0, ...all.map(({ step }) => step)]);
  const y = around(
    title,
    all.map(({ value }) => value),
  );
  const marks = curves.flatMap(({ spots, colour: stroke }) => {
    const at = spots.map(({ step, value }) => [across(x, step), upwards(y, value)] as const);
    const line = drawn('polyline', { class: 'curve', stroke, points: at.map((spot) => spot.join()).join(' ') });
    const dots = marked || at.length === 1 ? at.map(([cx, cy]) => drawn('circle', { cx, cy, r: 3, fill: stroke })) : [];
    return [line, ...dots];
  });
  const last = curves.map(lastOf).join(', ');
  return charted(title, `${title} over updates, at last: ${last}`, picture(x, y, marks), legend(curves));
};

/** Training loss and scores on validation texts, as far as there are any. */
export const drawCurves = (
  into: HTMLElement,
  points: readonly CurvePoint[],
  scores: Readonly<Record<string, string>>,
): void => {
  const titles = [...new Set(Object.values(scores))];
  const kinds: readonly Kind[] = [
    { title: 'Training loss', figure: ({ loss }) => loss, marked: false },
    ...titles.map((title) => ({
      title: `Validation ${title}`,
      figure: ({ stage, score }: CurvePoint) => (scores[stage] === title ? score : null),
      marked: true,
    })),
  ];
  into.replaceChildren(...kinds.flatMap((kind) => chart(points, kind) ?? []));
};
