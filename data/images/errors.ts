import type { UserError } from '../../ground/errors.ts';
import { dataError } from '../errors.ts';

const damaged = 'damaged-image';
const other = 'other-image';

/** Of files that hold images, or should. */
export const imageErrors = {
  damaged: (at: string, reason: string): UserError =>
    dataError(damaged, `${at} is damaged or cut off (${reason}): copy or save it again`),
  foreign: (at: string): UserError =>
    dataError(other, `${at} is no PNG or JPEG file, whatever its name says; save it as one of these`),
  depth: (at: string, bits: number): UserError =>
    dataError(other, `${at} has ${bits} bits a sample; expected 8: save it with 8 bits a channel`),
  animated: (at: string): UserError =>
    dataError(other, `${at} is animated: one image was expected; save the frame that is meant`),
  transparent: (at: string): UserError =>
    dataError(
      other,
      `${at} has transparent pixels, and nobody says what stands behind them: save it without transparency`,
    ),
  channels: (at: string, channels: number): UserError =>
    dataError(
      other,
      `${at} has ${channels} channels of colour; expected 1 (grey) or 3 (red, green, blue): save it as one of these`,
    ),
  turned: (at: string, orientation: number): UserError =>
    dataError(other, `${at} is to be turned for showing (EXIF orientation ${orientation}): save it upright`),
  large: (at: string, width: number, height: number): UserError =>
    dataError(
      other,
      `${at} has ${width} x ${height} pixels, more than any model reads: scale it to the size of the others`,
    ),
};

/** No model of this machine reads more pixels at once. */
const MOST_PIXELS = 2 ** 25;

export const expectReadable = (at: string, width: number, height: number): void => {
  if (width * height > MOST_PIXELS) throw imageErrors.large(at, width, height);
};
