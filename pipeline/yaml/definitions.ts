import { isRecord } from '../../ground/records.ts';

type Json = Readonly<Record<string, unknown>>;

/** Parts as long as this, in characters, are named where they repeat. */
const SHORTEST_NAMED = 200;

/** Where a mapping has schemas by names of the user, and where a list or a value is one. */
const MAPPINGS: ReadonlySet<string> = new Set(['properties', 'patternProperties']);
const SCHEMAS: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'anyOf', 'oneOf', 'allOf', 'not']);

/** The same JSON with each schema in it, from outside to inside, put through `each` with the name that it has there. */
const withSchemas = (schema: Json, name: string, each: (part: Json, name: string) => Json): Json => {
  const part = (value: unknown, as: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => part(item, as));
    return isRecord(value) ? each(value, nameOf(value) ?? as) : value;
  };
  const inside = Object.entries(schema).map(([key, value]): [string, unknown] => {
    if (MAPPINGS.has(key) && isRecord(value)) {
      return [key, Object.fromEntries(Object.entries(value).map(([of, one]) => [of, part(one, of)]))];
    }
    return [key, SCHEMAS.has(key) ? part(value, name) : value];
  });
  return Object.fromEntries(inside);
};

/** A kind among several has the name of its `uses`. */
const nameOf = ({ properties }: Json): string | undefined => {
  const uses = isRecord(properties) && isRecord(properties.uses) ? properties.uses.const : undefined;
  return typeof uses === 'string' ? uses : undefined;
};

/** How often each part stands in a schema in which what repeats is written once. */
const countParts = (schema: Json): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  const count = (part: Json, name: string): Json => {
    const text = JSON.stringify(part);
    const before = counts.get(text) ?? 0;
    counts.set(text, before + 1);
    return before === 0 ? withSchemas(part, name, count) : part;
  };
  withSchemas(schema, '', count);
  return counts;
};

/** A JSON Schema of draft 7 whose repeated parts stand under `definitions`, once each. */
export const withDefinitions = (schema: Json): Record<string, unknown> => {
  const counts = countParts(schema);
  const refs = new Map<string, string>();
  const definitions: Record<string, Json> = {};
  const freeName = (name: string): string => {
    let number = 1;
    while (Object.hasOwn(definitions, number === 1 ? name : `${name}-${number}`)) number++;
    return number === 1 ? name : `${name}-${number}`;
  };
  const share = (part: Json, name: string): Json => {
    const text = JSON.stringify(part);
    if (text.length < SHORTEST_NAMED || (counts.get(text) ?? 0) < 2) return withSchemas(part, name, share);
    const known = refs.get(text);
    if (known !== undefined) return { $ref: known };
    const free = freeName(name);
    const ref = `#/definitions/${free}`;
    refs.set(text, ref);
    // Its name is taken before its own parts look for theirs.
    definitions[free] = {};
    definitions[free] = withSchemas(part, name, share);
    return { $ref: ref };
  };
  const shared = withSchemas(schema, '', share);
  return Object.keys(definitions).length === 0 ? shared : { ...shared, definitions };
};
