/** A figure as reports keep it. */
export const precise = (figure: number): number => Number(figure.toPrecision(4));
