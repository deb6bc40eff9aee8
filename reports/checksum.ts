import { digestOfJson } from '../ground/digest.ts';
import { UserError } from '../ground/errors.ts';

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
