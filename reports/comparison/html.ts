import { renderPage } from '../html/document.ts';
import { type Html, html, nothing } from '../html/html.ts';
import type { Section } from '../html/sections/section.ts';
import { table } from '../html/table.ts';
import { pairColumns, recipeColumns, stageColumns } from './columns.ts';
import type { Comparison } from './comparison.ts';
import { type ComparisonView, viewOf } from './view.ts';

const isClear = ({ clear }: { readonly clear: boolean }): boolean => clear;

const pairsOf = (view: ComparisonView): Html =>
  view.pairs.length === 0 ? nothing : table(pairColumns(view), view.pairs, 'Each with each', { strong: isClear });

const sectionsOf = (view: ComparisonView): readonly Section[] => [
  {
    id: 'recipes',
    title: 'Recipes',
    body: html`${table(recipeColumns(view), view.rows, 'Recipes', { strong: isClear })}${pairsOf(view)}<p class="note">${view.note}</p>`,
  },
  ...(view.stages.length === 0
    ? []
    : [
        {
          id: 'stages',
          title: 'Other stages',
          body: html`${table(stageColumns(view), view.stages, 'Other stages')}<p class="note">What is the same model in several recipes, byte for byte, is told once.</p>`,
        },
      ]),
  ...view.facts.map(({ title, items }, i) => ({
    id: `facts-${i}`,
    title,
    body: html`<ul>${items.map((item) => html`<li>${item}</li>\n`)}</ul>`,
  })),
];

/** A comparison as one self-contained page in the style of report.html. All text is escaped. */
export const renderComparisonHtml = (comparison: Comparison): string => {
  const view = viewOf(comparison);
  return renderPage({
    title: `${view.name}: decant compare`,
    name: view.name,
    subtitle: 'recipes side by side',
    verdict: view.verdict,
    lead: nothing,
    sections: sectionsOf(view),
    first: 'recipes',
    footer: 'Made by decant. What is chance is called chance.',
  });
};
