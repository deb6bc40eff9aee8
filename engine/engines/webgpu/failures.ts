import { bytes } from '../../../ground/bytes.ts';
import { engineError, messageOf } from '../../../ground/errors.ts';
import { memoryError } from '../../memory/lack.ts';

const LOST = /device (?:was |is )?lost|DeviceLost|DEVICE_LOST/i;

/** Asked for and possible, where the adapter tells. */
const LIMIT = /Buffer size \((\d+)\) exceeds the max buffer size limit \((\d+)\)/;

/** A buffer that could not be made is found when it is used; sizes beyond all limits fail on other roads. */
const FULL =
  /OUT_OF_(?:DEVICE|HOST)_MEMORY|out of memory|\[Invalid Buffer|Too many storage buffers in shader|narrowing_error/i;

const tooLarge = (adapter: string, limit: RegExpExecArray | null, cause: unknown): unknown => {
  const [, asked, most] = (limit ?? []).map(Number);
  const text = `the adapter ${adapter} has not enough memory for this`;
  const advice = 'take --engine cpu';
  if (asked === undefined || most === undefined) return memoryError(text, { cause, advice });
  const sizes = `a piece of ${bytes(asked)} was asked for, ${bytes(most)} are possible`;
  return memoryError(`${text}: ${sizes}`, { cause, advice, times: asked / most });
};

/** What went wrong on a device, for its user; errors of another kind as they are. */
export const explained = (error: unknown, adapter: string): unknown => {
  const message = messageOf(error);
  if (LOST.test(message)) {
    const text = `the adapter ${adapter} was lost while it computed (its driver was reset, or the card is gone); the same command again goes on from the last checkpoint, on another engine with --engine cpu`;
    return engineError(text, { code: 'adapter-lost', cause: error });
  }
  const limit = LIMIT.exec(message);
  if (limit === null && !FULL.test(message)) return error;
  return tooLarge(adapter, limit, error);
};

/** The same of work that is under way. */
export const explaining = async <T>(work: Promise<T>, adapter: string): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    throw explained(error, adapter);
  }
};
