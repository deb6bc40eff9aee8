import type { Stream } from '../../../data/random.ts';

/** Where a value stands in a document. */
type Path = readonly (string | number)[];

/** A value that is written as this text, which JSON.stringify would write otherwise or not at all. */
interface Raw {
  readonly raw: string;
}

const nested = (open: string, close: string, depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`;

/** Values that nobody expects anywhere, as JSON. */
const strangeValues: readonly string[] = [
  ...['null', 'true', 'false', '-1', '0', '0.5', '-0', '1e308', '1e999', '-1e999', '1e-320', '99999999999', '1e21'],
  ...['9007199254740993', '2147483648', '[]', '{}', '[null]', '[[[]]]', '{"":null}', '""', '" "', '"NaN"', '"1"'],
  ...['"\\u001b[31m\\u001b]0;owned\\u0007"', '"\\u202e\\u2066\\u200b"', '"\\ud800"', '"\\udc00a\\ud800"', '"\\u0000"'],
  ...['"__proto__"', '"constructor"', '"toString"', '"../../../etc/passwd"', '"/dev/zero"', '"a\\nb\\r\\nc"', '"=1+1"'],
  ...['{"__proto__":{"a":1}}', '{"toString":1,"length":-1}', '{"constructor":{"prototype":1}}', '"<script>"', '"-1"'],
  ...[`"${'x'.repeat(1_000_000)}"`, `"${'é'.repeat(30_000)}"`],
  ...[nested('[', ']', 60), nested('[', ']', 5000), nested('{"a":', '}', 5000), nested('[', ']', 200_000)],
  ...[`[${'0,'.repeat(100_000)}0]`, `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":${i}`).join(',')}}`],
];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every place of a document, the document first. */
const placesIn = (json: unknown, path: Path = []): readonly Path[] => {
  if (Array.isArray(json)) return [path, ...json.flatMap((item, i) => placesIn(item, [...path, i]))];
  if (!isObject(json)) return [path];
  return [path, ...Object.entries(json).flatMap(([key, value]) => placesIn(value, [...path, key]))];
};

/** The document with another value at a place; a list of several puts more than one there, an empty one none. */
const withValues = (json: unknown, [key, ...rest]: Path, change: (value: unknown) => readonly unknown[]): unknown => {
  if (key === undefined) return change(json)[0];
  const within = (value: unknown): readonly unknown[] =>
    rest.length === 0 ? change(value) : [withValues(value, rest, change)];
  if (Array.isArray(json)) return json.flatMap((item, i) => (i === key ? within(item) : [item]));
  if (!isObject(json)) return json;
  return Object.fromEntries(
    Object.entries(json).flatMap(([name, value]) =>
      name === key
        ? within(value).map((one, i) => [i === 0 ? name : `${name}${i}`, one] as const)
        : [[name, value] as const],
    ),
  );
};

/** JSON with raw texts in it. */
const written = (json: unknown): string => {
  const raws: string[] = [];
  const stand = 'raw text 7f3a ';
  const text: string | undefined = JSON.stringify(json, (_, value: unknown) =>
    isObject(value) && typeof value.raw === 'string' ? `${stand}${raws.push(value.raw) - 1}` : value,
  );
  // Nothing at all is written as nothing.
  return (text ?? '').replace(
    new RegExp(`"${stand}(\\d+)"`, 'g'),
    (_, number: string) => raws[Number(number)] ?? 'null',
  );
};

type Change = (value: unknown, random: Stream) => readonly unknown[];

const strange: Change = (_, random) => [
  { raw: strangeValues[random.integer(strangeValues.length)] ?? '' } satisfies Raw,
];
const many = (value: unknown): readonly unknown[] => Array.from({ length: 3000 }, () => value);

const changes: readonly Change[] = [
  ...[strange, strange, strange, strange],
  () => [],
  (value) => [value, value],
  (value) => [Array.isArray(value) ? [] : isObject(value) ? {} : typeof value === 'string' ? '' : 0],
  (value) => [Array.isArray(value) && value.length < 100 ? value.flatMap(many) : [value]],
  (value) => [Array.isArray(value) ? value.toReversed() : { value }],
  (value) => [Array.isArray(value) ? value.slice(1) : isObject(value) ? Object.values(value) : String(value)],
  (value, random) => [
    typeof value === 'number'
      ? [-value, value * 1e6, value + 0.5, value + 1, 1 / value][random.integer(5)]
      : value === null
        ? {}
        : null,
  ],
  (value) => [isObject(value) ? { ...value, 'an\u001b[31m unknown \u202ekey': 1 } : JSON.stringify(value)],
  (value) => [
    isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([key, one], i) => [i === 0 ? 'constructor' : key, one]))
      : value,
  ],
];

/** The text of a document with one value changed, chosen by the stream. */
export const spoiledJson = (text: string, random: Stream): string => {
  const json: unknown = JSON.parse(text);
  // The first places of long lists stand for all of them.
  const places = placesIn(json).filter((path) => path.every((key) => typeof key !== 'number' || key < 4));
  const path = places[random.integer(places.length)] ?? [];
  const change = changes[random.integer(changes.length)] ?? strange;
  return written(withValues(json, path, (value) => change(value, random)));
};
