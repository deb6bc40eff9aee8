import type { ComparisonView, PairRow, RecipeRow, StageRow } from './view.ts';

/** A column of one of the tables, whatever it is drawn with. */
export interface ViewColumn<Row> {
  readonly title: string;
  /** Words, as against figures. */
  readonly text?: boolean;
  cell(row: Row): string;
}

/** What a reader looks for: which recipe wins, and what it costs. */
export const recipeColumns = ({ score, changes, pairs, rows }: ComparisonView): readonly ViewColumn<RecipeRow>[] => [
  { title: 'recipe', text: true, cell: ({ recipe }) => recipe },
  { title: score, cell: (row) => row.score },
  ...(pairs.length > 0
    ? []
    : [
        { title: changes, cell: ({ change }: RecipeRow) => change },
        { title: 'p', cell: ({ p }: RecipeRow) => p },
        { title: 'verdict', text: true, cell: ({ verdict }: RecipeRow) => verdict },
      ]),
  ...(rows.every(({ validation }) => validation === '')
    ? []
    : [{ title: 'on validation', cell: ({ validation }: RecipeRow) => validation }]),
  { title: 'bytes', cell: ({ bytes }) => bytes },
  { title: 'p50 ms', cell: ({ p50 }) => p50 },
];

export const pairColumns = ({ changes }: ComparisonView): readonly ViewColumn<PairRow>[] => [
  { title: 'recipes', text: true, cell: ({ pair }) => pair },
  { title: changes, cell: ({ change }) => change },
  { title: 'p', cell: ({ p }) => p },
  { title: 'verdict', text: true, cell: ({ verdict }) => verdict },
];

export const stageColumns = ({ score }: ComparisonView): readonly ViewColumn<StageRow>[] => [
  { title: 'stage', text: true, cell: ({ stage }) => stage },
  { title: 'recipe', text: true, cell: ({ recipe }) => recipe },
  { title: score, cell: (row) => row.score },
  { title: 'bytes', cell: ({ bytes }) => bytes },
  { title: 'p50 ms', cell: ({ p50 }) => p50 },
];
