/**
 * A weight as patterns see it: a row for each output of a product, of a table for each thing that is looked up; a vector is one
 * row. Its numbers stay where the graph has them.
 */
export interface Plane {
  readonly rows: number;
  /** Inputs of a product, width of a table. */
  readonly width: number;
  /** Whether numbers of one row stand `rows` apart, as in a matrix of (inputs, outputs). */
  readonly turned: boolean;
}

/** Where a number of a plane stands. */
export const placeIn = ({ rows, width, turned }: Plane, row: number, column: number): number =>
  turned ? column * rows + row : row * width + column;

/** Calls for each number of a plane, row by row. */
export const forEachPlace = (plane: Plane, see: (place: number, row: number, column: number) => void): void => {
  for (let row = 0; row < plane.rows; row++) {
    for (let column = 0; column < plane.width; column++) see(placeIn(plane, row, column), row, column);
  }
};

/** Numbers of a plane row by row, and where the weight has them: the same where it is kept so. */
export const inRows = (plane: Plane, data: Float32Array): Float32Array => {
  if (!plane.turned) return data;
  const rows = new Float32Array(data.length);
  forEachPlace(plane, (place, row, column) => {
    rows[row * plane.width + column] = data[place] as number;
  });
  return rows;
};
