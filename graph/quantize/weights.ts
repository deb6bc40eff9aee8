import { userErrors } from '../../ground/errors.ts';
import { type ArrayOf, arrayOf, elementCount, floatPiecesOf, newArray, type Tensor, tensorOf } from '../tensor.ts';

/** A weight that cannot be quantized as asked, or an exclusion that names none. The message is for the user. */
export const quantizeError = userErrors('quantize');

/** The largest whole number of 8 bits, or of 7 where sums of two products must fit 16 bits (CPUs without VNNI). */
export type Limit = 127 | 63;

/** 8-bit integers and the float steps they count, one step a channel: w is about steps[channel] * integers. */
export interface Quantized {
  readonly integers: Tensor;
  /** float32, one element a channel. */
  readonly steps: Tensor;
}

/** The axis of a matrix whose indices have a step each: outputs of a linear layer, rows of a table. */
export type ChannelAxis = 'rows' | 'columns';

/** Steps below the normal numbers of float32 have few digits left: such channels count as zeros. */
const smallestStep = 2 ** -126;

/** A matrix, and the axis whose indices have a step each. */
interface Channels {
  readonly tensor: Tensor;
  readonly axis: ChannelAxis;
}

/** Largest magnitude of each channel. */
const largest = ({ tensor, axis }: Channels, channels: number): ArrayOf<'float32'> => {
  const [, columns = 0] = tensor.dims;
  const magnitudes = newArray('float32', channels);
  let [row, column] = [0, 0];
  for (const w of floatPiecesOf(tensor)) {
    for (let i = 0; i < w.length; i++) {
      const magnitude = Math.abs(w[i] as number);
      const channel = axis === 'columns' ? column : row;
      // NaN is taken and stays: no number is larger.
      if (magnitude > (magnitudes[channel] as number) || Number.isNaN(magnitude)) magnitudes[channel] = magnitude;
      if (++column === columns) [row, column] = [row + 1, 0];
    }
  }
  return magnitudes;
};

/** Numbers as whole steps of their channel, from -limit to limit. */
const rounded = ({ tensor, axis }: Channels, steps: Float32Array, limit: number) => {
  const [, columns = 0] = tensor.dims;
  const integers = newArray('int8', elementCount(tensor.dims));
  let [row, column, at] = [0, 0, 0];
  for (const w of floatPiecesOf(tensor)) {
    for (let i = 0; i < w.length; i++) {
      const whole = Math.round((w[i] as number) / (steps[axis === 'columns' ? column : row] as number));
      integers[at++] = Math.max(-limit, Math.min(limit, whole));
      if (++column === columns) [row, column] = [row + 1, 0];
    }
  }
  return integers;
};

/**
 * Symmetric rounding to -limit .. limit with a step a channel, step = max |w| / limit, so that the error stays within
 * half a step (Jacob et al. 2017, 1712.05877, without zero points). A channel of zeros has step 1. `limit` is 127, or
 * 63 where sums of two products must fit 16 bits (CPUs without VNNI).
 */
export const quantizeMatrix = (name: string, tensor: Tensor, axis: ChannelAxis, limit: Limit): Quantized => {
  const [rows = 0, columns = 0] = tensor.dims;
  const channels = axis === 'columns' ? columns : rows;
  const steps = largest({ tensor, axis }, channels);
  const bad = steps.findIndex((magnitude) => !Number.isFinite(magnitude));
  if (bad >= 0) {
    const place = `${axis === 'columns' ? 'column' : 'row'} ${bad}`;
    throw quantizeError(`the weight '${name}' holds NaN or infinity in ${place}; it cannot be quantized`);
  }
  for (let channel = 0; channel < channels; channel++) {
    const step = Math.fround((steps[channel] as number) / limit);
    steps[channel] = step < smallestStep ? 1 : step;
  }
  const integers = rounded({ tensor, axis }, steps, limit);
  return {
    integers: tensorOf('int8', tensor.dims, integers),
    steps: tensorOf('float32', [channels], steps),
  };
};

/** The floats that 8-bit integers stand for. */
export const widenedMatrix = ({ integers, steps }: Quantized, axis: ChannelAxis): Tensor => {
  const [rows = 0, columns = 0] = integers.dims;
  const [whole, own] = [arrayOf({ ...integers, dtype: 'int8' }), arrayOf({ ...steps, dtype: 'float32' })];
  const data = newArray('float32', rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      data[at] = (whole[at] as number) * (own[axis === 'columns' ? column : row] as number);
    }
  }
  return tensorOf('float32', integers.dims, data);
};

/** An int8 matrix with rows and columns exchanged. */
export const transposed = (tensor: Tensor): Tensor => {
  const [rows = 0, columns = 0] = tensor.dims;
  const source = tensor.bytes.read();
  const result = new Int8Array(source.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = source[row * columns + column] as number;
    }
  }
  return tensorOf('int8', [columns, rows], result);
};
