import type { UserError } from '../../../ground/errors.ts';
import { importError } from '../importer.ts';
import type { JsonObject } from '../json-file.ts';

/** Two unnamed classes are what transformers assumes where a file says nothing. */
const DEFAULT_LABELS = 2;

/** What config.json says of classes. */
interface Labels {
  readonly id2label?: JsonObject | null | undefined;
  readonly label2id?: JsonObject | null | undefined;
  readonly num_labels?: number | null | undefined;
}

const wrong = (text: string): UserError => importError(`config.json: ${text}`);

const nameOf = (id: number, label: unknown, classes: number): string => {
  if (typeof label === 'string') return label;
  throw wrong(
    label === undefined
      ? `id2label names ${classes} classes, but none of number ${id}`
      : `id2label calls class ${id} ${JSON.stringify(label)}; expected a text, such as ${JSON.stringify(String(label))}`,
  );
};

/** The two tables must say the same of every class that both name. */
const checkReverse = (labels: readonly string[], label2id: JsonObject): void => {
  for (const [id, label] of labels.entries()) {
    const other = Object.hasOwn(label2id, label) ? label2id[label] : id;
    if (other === id || other === String(id)) continue;
    throw wrong(
      `id2label calls class ${id} ${JSON.stringify(label)}, label2id gives ${JSON.stringify(label)} the number ${JSON.stringify(other)}: ` +
        'correct the one that is wrong',
    );
  }
};

/** Class names by index. */
export const labelsOf = ({ id2label, label2id, num_labels: count }: Labels): readonly string[] => {
  if (id2label == null) return Array.from({ length: count ?? DEFAULT_LABELS }, (_, id) => `LABEL_${id}`);
  const classes = Object.keys(id2label).length;
  if (count != null && count !== classes)
    throw wrong(`num_labels is ${count}, id2label names ${classes} classes: take num_labels out, or name all classes`);
  const labels = Array.from({ length: classes }, (_, id) => nameOf(id, id2label[id], classes));
  checkReverse(labels, label2id ?? {});
  return labels;
};
