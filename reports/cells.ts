/** A batch and a length that stages were timed at. */
interface Cell {
  readonly batch: number;
  readonly length: number;
}

const isSame =
  (cell: Cell) =>
  ({ batch, length }: Cell): boolean =>
    batch === cell.batch && length === cell.length;

/** Every batch and length that some stage was timed at, each once: a stage is not timed at texts longer than it takes. */
export const cellsOf = <C extends Cell>(stages: readonly (readonly C[])[]): readonly C[] => {
  const all = stages.flat();
  return all.filter((cell, i) => all.findIndex(isSame(cell)) === i);
};

/** What a stage took at a batch and a length. */
export const cellAt = <C extends Cell>(cells: readonly C[], cell: Cell): C | undefined => cells.find(isSame(cell));
