// Writes orders.jsonl: 900 letters to a shop, made by rule, with the spans of what they speak of. node examples/orders.recipe.mjs
import { writeFileSync } from 'node:fs';

/** Numerical Recipes' generator: the same letters on every machine. */
let state = 16;
const draw = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};
const pick = (list) => list[draw(list.length)];

const first =
  'Ada Ben Carla Deniz Elif Finn Greta Hugo Ines Jonas Kofi Lena Malik Nora Omar Petra Quinn Rosa Samir Tove'.split(
    ' ',
  );
const last =
  'Abel Brandt Castillo Dahl Eriksen Fischer Garcia Hansen Ibrahim Jensen Kowalski Larsen Moreau Novak Okafor Park'.split(
    ' ',
  );
const cities = [
  'Oslo',
  'Porto',
  'Lyon',
  'New York',
  'Gent',
  'San Sebastian',
  'Krakow',
  'Leeds',
  'Rio de Janeiro',
  'Kyoto',
  'Graz',
  'Bath',
];
const makes = ['Nordlys', 'Halden', 'Vega', 'Tessera', 'Aurum', 'Kestrel', 'Bruno'];
const goods = ['lamp', 'desk', 'kettle', 'chair', 'rug', 'mirror', 'shelf', 'clock'];
const months = 'January February March April May June July August September October November December'.split(' ');

const slots = {
  PERSON: () => (draw(3) === 0 ? pick(first) : `${pick(first)} ${pick(last)}`),
  CITY: () => pick(cities),
  PRODUCT: () => `${pick(makes)} ${pick(goods)}${draw(3) === 0 ? ` ${draw(900) + 100}` : ''}`,
  ORDER: () => `${pick(['A', 'B', 'X'])}-${10000 + draw(89999)}`,
  DATE: () => (draw(2) === 0 ? `${pick(months)} ${draw(28) + 1}` : `${draw(28) + 1} ${pick(months)} 2026`),
};

const letters = [
  'My name is {PERSON} and my order {ORDER} has not arrived in {CITY}.',
  'The {PRODUCT} from order {ORDER} came broken, please send another one to {CITY}.',
  'On {DATE} I bought a {PRODUCT}; when will it be sent?',
  'Could you ship the {PRODUCT} to {PERSON} in {CITY} before {DATE}?',
  'I want my money back for {ORDER}. Regards, {PERSON}',
  '{PERSON} told me on {DATE} that the {PRODUCT} is in stock again.',
  'Is there a shop in {CITY} that has the {PRODUCT}?',
  'Two weeks ago {PERSON} from your shop in {CITY} promised a call, and nobody called.',
  'Please change the address of {ORDER}: it goes to {CITY}, not to {CITY}.',
  'The kettle is too loud, and may I have the lamp in green?',
  'I am very happy with everything, thank you!',
  'Hello {PERSON}, has the {PRODUCT} left {CITY} on {DATE}?',
  'Order {ORDER} lacks a part: the {PRODUCT} has no screws.',
  'May I return the {PRODUCT} that {PERSON} bought in May?',
];

const characters = (text) => [...text].length;

const letter = () => {
  const entities = [];
  let text = '';
  for (const piece of pick(letters).split(/(\{[A-Z]+\})/)) {
    const label = /^\{([A-Z]+)\}$/.exec(piece)?.[1];
    const said = label === undefined ? piece : slots[label]();
    if (label !== undefined) entities.push({ start: characters(text), end: characters(text + said), label });
    text += said;
  }
  return JSON.stringify({ text, entities });
};

const lines = new Set();
while (lines.size < 900) lines.add(letter());
writeFileSync(new URL('orders.jsonl', import.meta.url), `${[...lines].join('\n')}\n`);
