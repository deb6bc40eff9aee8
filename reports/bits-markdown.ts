import { bytes } from './figures.ts';
import { folded, inert, table } from './markdown.ts';
import { changeText, cosine, furthestLayer, quantizedStages, storagesIn } from './quantized.ts';
import type { Report } from './report.ts';

/** What was stored in fewer bits; which weights a budget was spent on is in the page. */
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
  const titles = ['stage', 'format', 'matrices', 'bytes', 'cosine of the furthest layer', 'held-out texts'];
  return folded('Fewer bits', table(titles, rows));
};
