import { describe, expect, it } from 'vitest';
import { isRecord } from '../../ground/records.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { withDefinitions } from '../../pipeline/yaml/definitions.ts';
import { jsonSchema } from '../../pipeline/yaml/head.ts';

/** The schema with each reference written out. */
const writtenOut = (value: unknown, definitions: Readonly<Record<string, unknown>>): unknown => {
  if (Array.isArray(value)) return value.map((item) => writtenOut(item, definitions));
  if (!isRecord(value)) return value;
  if (typeof value.$ref === 'string') {
    const name = value.$ref.replace('#/definitions/', '');
    expect(Object.keys(value)).toEqual(['$ref']);
    expect(definitions).toHaveProperty([name]);
    return writtenOut(definitions[name], definitions);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, writtenOut(inside, definitions)]));
};

describe('the schema for editors', () => {
  const whole = JSON.parse(JSON.stringify(jsonSchema(decantCatalogue)));
  const { definitions, ...shared } = withDefinitions(whole);
  const named = isRecord(definitions) ? definitions : {};

  it('says what each option written out says', () => {
    expect(writtenOut(shared, named)).toEqual(whole);
  });

  it('writes what stages share once, and nothing of it twice', () => {
    expect(Object.keys(named)).toEqual(expect.arrayContaining(['losses', 'augment', 'distill']));
    expect(JSON.stringify({ shared, named }).length).toBeLessThan(JSON.stringify(whole).length / 2);
    const bodies = Object.values(named).map((body) => JSON.stringify(body));
    expect(new Set(bodies).size).toBe(bodies.length);
    for (const body of bodies) expect(JSON.stringify(shared)).not.toContain(body);
  });
});

describe('parts of a schema', () => {
  const part = (description: string) => ({ type: 'string', description: description.padEnd(200, '.') });

  it('of one name and two meanings have two names', () => {
    const of = (title: string, words: string) => ({ title, properties: { weight: part(words) } });
    const { definitions } = withDefinitions({ oneOf: [of('1', 'a'), of('2', 'a'), of('3', 'b'), of('4', 'b')] });
    expect(definitions).toEqual({ weight: part('a'), 'weight-2': part('b') });
  });

  it('that stand once, or are short, stay where they are', () => {
    const schema = { properties: { once: part('a'), short: { type: 'string' }, again: { type: 'string' } } };
    expect(withDefinitions(schema)).toEqual(schema);
  });
});
