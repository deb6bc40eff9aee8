const word = new DataView(new ArrayBuffer(4));

const bitsOf = (number: number): number => {
  word.setFloat32(0, number);
  return word.getUint32(0);
};

/** A number in the 16 bits of a bfloat16: the upper half of a float32. */
export const bfloat16Bits = (number: number): number => bitsOf(number) >>> 16;

/** A number of usual size in the 16 bits of a float16, cut to 10 bits after the point; smaller ones are 0. */
export const float16Bits = (number: number): number => {
  const bits = bitsOf(number);
  const exponent = ((bits >>> 23) & 255) - 112;
  const sign = (bits >>> 16) & 0x8000;
  return exponent <= 0 ? sign : sign | (Math.min(exponent, 30) << 10) | ((bits >>> 13) & 0x3ff);
};
