import { type ArrayOf, float32Of, newArray, type Tensor, tensorOf } from '../tensor.ts';

/** A weight that cannot be quantized as asked, or an exclusion that names none. The message is for the user. */
export class QuantizeError extends Error {
  override readonly name = 'QuantizeError';
}

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

/** Largest magnitude of each channel. */
const largest = (w: Float32Array, columns: number, axis: ChannelAxis, channels: number): ArrayOf<'float32'> => {
  const magnitudes = newArray('float32', channels);
  for (let start = 0, row = 0; start < w.length; start += columns, row++) {
    for (let column = 0; column < columns; column++) {
      const magnitude = Math.abs(w[start + column] as number);
      const channel = axis === 'columns' ? column : row;
      // NaN is taken and stays: no number is larger.
      if (magnitude > (magnitudes[channel] as number) || Number.isNaN(magnitude)) magnitudes[channel] = magnitude;
    }
  }
  return magnitudes;
};

/** Numbers as whole steps of their channel, from -limit to limit. */
const rounded = (w: Float32Array, columns: number, axis: ChannelAxis, steps: Float32Array, limit: number) => {
  const integers = newArray('int8', w.length);
  for (let start = 0, row = 0; start < w.length; start += columns, row++) {
    for (let column = 0; column < columns; column++) {
      const step = steps[axis === 'columns' ? column : row] as number;
      const whole = Math.round((w[start + column] as number) / step);
      integers[start + column] = Math.max(-limit, Math.min(limit, whole));
    }
  }
  return integers;
};

/**
 * Symmetric rounding to -limit .. limit with a step a channel, step = max |w| / limit, so that the error stays within
 * half a step (Jacob et al. 2017, 1712.05877, without zero points). A channel of zeros has step 1. `limit` is 127, or
 * 63 where sums of two products must fit 16 bits (CPUs without VNNI).
 */
export const quantizeMatrix = (name: string, tensor: Tensor, axis: ChannelAxis, limit: 127 | 63): Quantized => {
  const w = float32Of(tensor);
  const [rows = 0, columns = 0] = tensor.dims;
  const channels = axis === 'columns' ? columns : rows;
  const steps = largest(w, columns, axis, channels);
  const bad = steps.findIndex((magnitude) => !Number.isFinite(magnitude));
  if (bad >= 0) {
    const place = `${axis === 'columns' ? 'column' : 'row'} ${bad}`;
    throw new QuantizeError(`the weight '${name}' holds NaN or infinity in ${place}; it cannot be quantized`);
  }
  for (let channel = 0; channel < channels; channel++) {
    const step = Math.fround((steps[channel] as number) / limit);
    steps[channel] = step < smallestStep ? 1 : step;
  }
  const integers = rounded(w, columns, axis, steps, limit);
  return {
    integers: tensorOf('int8', tensor.dims, integers),
    steps: tensorOf('float32', [channels], steps),
  };
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
