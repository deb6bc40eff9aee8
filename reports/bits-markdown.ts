import { bytes } from './figures.ts';
import { folded, inert, table } from './markdown.ts';
import {
  changeText,
  cosine,
  furthestLayer,
  harm,
  harmUnit,
  quantizedStages,
  storagesIn,
  storageText,
} from './quantized.ts';
import type { Report } from './report.ts';

/** Weights that lose most: the rest are in the page. */
const MOST_WEIGHTS = 3;

/** What was stored in fewer bits, and which weights a budget was spent on. */
export const bitsLines = (report: Report): string[] => {
  const stages = quantizedStages(report);
  if (stages.length === 0) return [];
  const rows = stages.map(({ id, bytes: size, quantization }) => {
    const far = furthestLayer(quantization);
    const drop = quantization.budget?.drop;
    return [
      ...[inert(id), inert(quantization.format), inert(storagesIn(quantization))],
      ...[size === undefined ? '' : bytes(size), far === undefined ? '' : `${cosine(far.mean)} (${far.layer})`],
      drop === undefined ? '' : changeText(drop, report),
    ];
  });
  const spent = stages.flatMap(({ id, quantization: { budget } }) => (budget === undefined ? [] : [{ id, ...budget }]));
  const sites = spent.flatMap(({ id, sites: own }) =>
    own
      .toSorted((a, b) => (b.options[0]?.harm ?? 0) - (a.options[0]?.harm ?? 0))
      .slice(0, MOST_WEIGHTS)
      .map((site) => [
        inert(id),
        inert(site.weight),
        storageText(site),
        harm(site.options[0]?.harm ?? 0),
        inert(site.why),
      ]),
  );
  return folded('Fewer bits', [
    ...table(['stage', 'format', 'matrices', 'bytes', 'cosine of the furthest layer', 'held-out texts'], rows),
    ...(sites.length === 0
      ? []
      : ['', ...table(['stage', 'weight', 'stored in', `alone it loses, ${harmUnit(report)}`, 'why'], sites)]),
  ]);
};
