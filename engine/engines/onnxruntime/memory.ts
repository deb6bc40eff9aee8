import { bytes } from '../../../ground/bytes.ts';
import { messageOf } from '../../../ground/errors.ts';
import { memoryError } from '../../memory/lack.ts';

/** What the arena says, with the size of the piece that it could not get. */
const PIECE = /Failed to allocate memory for requested buffer of size (\d+)/;

/** What the system, CUDA and its libraries say. */
const FULL =
  /bad_alloc|bad allocation|CUDA failure 2\b|CUDA_ERROR_OUT_OF_MEMORY|out of memory|(?:CUBLAS|CUDNN)_STATUS_ALLOC_FAILED|Available memory of \d+ is smaller/i;

/** An error of the runtime: whether memory did not suffice is told apart; others as they are. */
export const explained = (error: unknown): unknown => {
  const message = messageOf(error);
  const [, piece] = PIECE.exec(message) ?? [];
  if (piece !== undefined)
    return memoryError(`ONNX Runtime got no ${bytes(Number(piece))} in one piece`, { cause: error });
  if (!FULL.test(message)) return error;
  return memoryError(`ONNX Runtime ran out of memory: ${message.trim().split('\n')[0]}`, { cause: error });
};
