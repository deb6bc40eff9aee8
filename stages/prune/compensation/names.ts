/** What makes up for units that go. */
export const compensations = ['means', 'least-squares', 'none'] as const;
export type Compensation = (typeof compensations)[number];
