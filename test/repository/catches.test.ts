import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const rooms = ['pipeline', 'stages', 'models', 'graph', 'engine', 'data', 'reports', 'ground'];

const sources = rooms.flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(room, file)),
);

/** Errors for users: what a kind of them is made by. */
const makes = /\b(?!TypeError)(?:new UserError|\w*[eE]rrors?(?:\.\w+)?|damagedRecord|unloadable|noReport)\(/;

/** What tells bugs from what is the user's to mend. */
const asks =
  /\b(?:isRefusal|isUserError|reworded|systemCode|isMissing|damageOf|gitReason|openError|fileError|asStageError|instanceof (?:SyntaxError|RangeError|CsvError)|z\.ZodError)\b/;

/** Between try and catch stands one call of a library or of the system, which runs nothing of ours. */
const libraries =
  /^\s*(?:return |value = )?(?:await )?(?:JSON\.parse|manifest\.parse\(JSON\.parse|onnxProto\.|new Uint8Array|readFile|createRequire|parse\(\)|fetch\(|reader\.read\(|decode\(|work\b)/;

interface Catch {
  readonly file: string;
  readonly tried: string;
  readonly body: string;
}

/** Every catch that looks at its error, statement or method, by the lines it stands on. */
const catchesIn = (file: string, text: string): readonly Catch[] => {
  const lines = text.split('\n');
  return lines.flatMap((line, at): readonly Catch[] => {
    const [, indent] = /^( *).*(?:\bcatch \(|\.catch\((?:async )?\()\w+/.exec(line) ?? [];
    if (indent === undefined) return [];
    const until = lines.findIndex((other, i) => i > at && other.startsWith(`${indent}}`));
    const from = line.startsWith(`${indent}} catch`)
      ? lines.findLastIndex((other, i) => i < at && other === `${indent}try {`)
      : at;
    const body = lines.slice(at, line.endsWith('{') ? until : at + 1).join('\n');
    return [
      {
        file,
        tried: lines
          .slice(from + 1, at)
          .join('\n')
          .trim(),
        body,
      },
    ];
  });
};

const isBroad = ({ tried, body }: Catch): boolean =>
  makes.test(body) && !asks.test(body) && !(libraries.test(tried) && !tried.includes('\n'));

/** Where all that may be thrown is the user's, for a reason that no pattern sees. */
const exempt: Readonly<Record<string, string>> = {
  'stages/download/request.ts': 'what a connection throws has names of its own, and is all that is tried',
};

describe('what is caught', () => {
  it('is told as the mistake of a user only where it is asked whether it is one', () => {
    const all = sources.flatMap((file) => catchesIn(file, readFileSync(join(root, file), 'utf8')));
    expect(all.length).toBeGreaterThan(60);
    expect(all.filter((one) => isBroad(one) && exempt[one.file] === undefined)).toEqual([]);
  });

  it.each([
    'try {\n  work();\n  more();\n} catch (error) {\n  throw dataError(String(error));\n}',
    'const x = await f().catch((error: unknown) => {\n  throw requestError(`' + '$' + '{error}`);\n});',
  ])('and a broad catch is noticed: %j', (text) => expect(catchesIn('x.ts', text).filter(isBroad)).toHaveLength(1));

  it.each([
    'try {\n  work();\n  more();\n} catch (error) {\n  if (!isUserError(error)) throw error;\n  throw dataError(error.message);\n}',
    'try {\n  return JSON.parse(text);\n} catch (error) {\n  throw dataError(String(error));\n}',
    'try {\n  work();\n  more();\n} catch (error) {\n  await clean();\n  throw error;\n}',
  ])('and others are not: %j', (text) => expect(catchesIn('x.ts', text).filter(isBroad)).toEqual([]));
});
