import { type Chart, colours, notFromZero } from '../picture.ts';

/** More points than pixels tell nothing: at most this many a curve, evenly chosen, the last one kept. */
const MOST_POINTS = 150;

export const thinned = <T>(curve: readonly T[]): readonly T[] => {
  const stride = Math.ceil(curve.length / MOST_POINTS);
  return curve.filter((_, i) => (curve.length - 1 - i) % stride === 0);
};

/** A point of the line that has a name. */
interface LinePoint {
  readonly line: string;
  readonly epoch: number;
  readonly value: number;
}

/** Lines over epochs, each of the colour that its name has among all names; nothing where there is none. */
export const lines = (
  title: string,
  points: readonly LinePoint[],
  names: readonly string[],
  marked = false,
): Chart[] => {
  if (points.length === 0) return [];
  const shown = names.filter((name) => points.some(({ line }) => line === name));
  const all = colours(names);
  const palette = { domain: shown, range: shown.map((name) => all.range[names.indexOf(name)] ?? '') };
  return [
    {
      title,
      height: 240,
      spec: {
        data: { values: [...points] },
        mark: { type: 'line', strokeWidth: 2, point: marked ? { filled: true, size: 36 } : false },
        encoding: {
          x: { field: 'epoch', type: 'quantitative', axis: { title: 'epochs', grid: false, tickCount: 5 } },
          y: {
            field: 'value',
            type: 'quantitative',
            scale: { zero: false },
            axis: { title: notFromZero(''), tickCount: 5 },
          },
          color: { field: 'line', type: 'nominal', scale: palette },
        },
      },
    },
  ];
};
