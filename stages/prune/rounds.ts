/** Amount after this round where `left` rounds are left: geometric steps, so that every round removes the same share. */
export const amountOnTheWay = (from: number, to: number, left: number): number =>
  left <= 1 || from <= to ? Math.min(from, to) : Math.max(to, from * (to / from) ** (1 / left));

/** The same of units, which are whole. */
export const unitsOnTheWay = (from: number, to: number, left: number): number =>
  Math.round(amountOnTheWay(from, to, left));
