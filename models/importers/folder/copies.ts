import { isDeepStrictEqual } from 'node:util';
import type { Bytes } from '../../../graph/tensor.ts';
import type { Copy } from '../../architectures/architecture.ts';
import type { StoredTensor, StoredTensors } from '../../safetensors/file.ts';
import { importError } from '../importer.ts';

const piecesOf = (bytes: Bytes): Iterable<Uint8Array> => bytes.pieces?.() ?? [bytes.read()];

/** Compared piece by piece: token embeddings are most of a small model's bytes. Files of one length come in equal pieces. */
const sameBytes = (a: Bytes, b: Bytes): boolean => {
  const others = piecesOf(b)[Symbol.iterator]();
  try {
    for (const piece of piecesOf(a))
      if (Buffer.compare(piece, others.next().value ?? new Uint8Array()) !== 0) return false;
    return true;
  } finally {
    others.return?.();
  }
};

const same = (a: StoredTensor, b: StoredTensor): boolean =>
  a.dtype === b.dtype && isDeepStrictEqual(a.dims, b.dims) && sameBytes(a.bytes, b.bytes);

/** Where config.json ties two tensors of which a checkpoint holds both, they must be equal: one of them is never read. */
export const checkCopies = (tensors: StoredTensors, copies: readonly Copy[], table: string): void => {
  for (const { copy, of = table } of copies) {
    const [mine, other] = [tensors.get(copy), tensors.get(of)];
    if (mine === undefined || other === undefined || same(mine, other)) continue;
    throw importError(
      `${mine.file}: tensor '${copy}' has other values than '${of}', but config.json says that they are one ` +
        '(tie_word_embeddings): set it to false there if the model has an output matrix of its own',
    );
  }
};
