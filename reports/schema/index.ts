import { z } from 'zod';
import { userErrors } from '../../ground/errors.ts';
import { sealed, verifySeal } from '../checksum.ts';
import type { Report } from '../report.ts';
import { oneLine } from '../text.ts';
import { fromFormer, withMetricNames } from './names.ts';
import { reportSchema } from './report.ts';

/** JSON Schema of report.json, for tools that read it. Its $id is the version that every report names. */
export const reportJsonSchema = (): Record<string, unknown> => {
  const { $schema, ...rest } = z.toJSONSchema(reportSchema, { io: 'input' });
  const about = { $schema, $id: `urn:${reportSchema.shape.schema.value.replace('/', ':')}`, title: 'decant report' };
  return { ...about, ...rest };
};

/** What report.json holds of a report. */
export const reportJson = (report: Report): { readonly checksum: string } => sealed(Object(withMetricNames(report)));

/** The text of a report is none, or one of another version. */
const reportError = userErrors('report');

const versionOf = (value: unknown): string | undefined => {
  const schema = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
  return typeof schema === 'string' ? oneLine(schema) : undefined;
};

/** What to do about a report of another version. */
const remedy = (found: string, wanted: string): string => {
  const [kind, version] = found.split('/');
  const [ours, known] = wanted.split('/');
  if (kind !== ours || !(Number(version) >= 0)) return '';
  return Number(version) > Number(known)
    ? ': update decant, or run the pipeline with this version'
    : ': run the pipeline again, or read it with the version that wrote it';
};

const jsonOf = (text: string, where: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = oneLine(error instanceof Error ? error.message : String(error));
    throw reportError(`${where} is no JSON (${reason}); was it cut short? decant report RUN writes it again`);
  }
};

/** Reads report.json. Throws an error that says what was found where another version or something else is. */
export const parseReport = (text: string, where: string): Report => {
  const value = jsonOf(text, where);
  const found = versionOf(value);
  const wanted = reportSchema.shape.schema.value;
  if (found !== wanted) {
    throw reportError(
      found === undefined
        ? `${where} is no report of decant: it has no "schema": "${wanted}"`
        : `${where} has the schema "${found}"; this version of decant reads "${wanted}"${remedy(found, wanted)}`,
    );
  }
  if (typeof value === 'object' && value !== null) verifySeal(value, where);
  const parsed = reportSchema.safeParse(fromFormer(value));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw reportError(
    `${where} is damaged or of an older version: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}; decant run writes it anew`,
  );
};
