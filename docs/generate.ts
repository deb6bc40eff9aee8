import { writeFileSync } from 'node:fs';
import { decantCatalogue } from '../pipeline/kinds.ts';
import { editorSchema } from '../pipeline/yaml/head.ts';
import { renderApi } from './api.ts';
import { renderReference } from './reference.ts';

const root = new URL('../', import.meta.url);

writeFileSync(new URL('docs/reference.md', root), renderReference(decantCatalogue));
writeFileSync(new URL('docs/api.md', root), renderApi());
writeFileSync(new URL('pipeline.schema.json', root), `${JSON.stringify(editorSchema(decantCatalogue), null, 2)}\n`);
