import { digestOfJson } from '../ground/digest.ts';
import { UserError } from '../ground/errors.ts';
import { changedFileError } from './verify.ts';

/** A record of a run as it is written: plain data with a checksum over all of it. */
export const sealedRecord = (value: object): object => {
  const plain: object = JSON.parse(JSON.stringify(value));
  return { ...plain, checksum: digestOfJson(plain) };
};

/** Throws where a record in a run's folder is not what was sealed, or bears no checksum. */
export const verifySealedRecord = (value: object, file: string): void => {
  const { checksum, ...rest }: { readonly checksum?: unknown } = value;
  const found = digestOfJson(rest);
  if (found === checksum) return;
  throw changedFileError(
    `${file} was changed since the run wrote it: found the checksum ${found} of what it holds, expected ${JSON.stringify(checksum) ?? 'one that it bears'}. Run the pipeline again: it writes it anew`,
  );
};

/** A report as it is written: with a checksum over all the rest, whatever the order and the layout of its keys. */
export const sealed = (report: object): { readonly checksum: string } => {
  const json: object = JSON.parse(JSON.stringify({ ...report, checksum: undefined }));
  return { ...json, checksum: digestOfJson(json) };
};

/** Throws where a report says of itself that it was another one. Earlier versions wrote no checksum. */
export const verifySeal = (value: object, where: string): void => {
  if (!('checksum' in value)) return;
  const { checksum, ...rest } = value;
  const found = digestOfJson(rest);
  if (found === checksum) return;
  throw new UserError(
    `${where} was changed since decant wrote it: found the checksum ${found} of what it holds, expected ${JSON.stringify(checksum)}. Run the pipeline again, or use decant report RUN --out FILE.json, to have it as it was; take "checksum" out of it to use it as it is`,
    { kind: 'changed-report' },
  );
};
