// Writes tickets.csv, reviews.csv and questions.csv: texts made by rule, which no one wrote or sent. node examples/everyday.recipe.mjs
import { writeFileSync } from 'node:fs';

/** Numerical Recipes' generator: the same texts on every machine. */
let state = 17;
const draw = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};
const pick = (list) => list[draw(list.length)];
const chance = (percent) => draw(100) < percent;
const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const write = (name, rows) =>
  writeFileSync(new URL(name, import.meta.url), rows.map((row) => `${row.map(quoted).join(',')}\n`).join(''));

const others = (list, one) => list.filter((other) => other !== one);

/** Rows without two of the same text. */
const distinct = (count, make, key) => {
  const rows = new Map();
  while (rows.size < count) {
    const row = make(rows.size);
    rows.set(key(row), row);
  }
  return [...rows.values()];
};

const first = 'Ada Ben Carla Deniz Elif Finn Greta Hugo Ines Jonas Kofi Lena Malik Nora Omar Petra'.split(' ');
const goods = ['lamp', 'desk', 'kettle', 'chair', 'rug', 'mirror', 'shelf', 'clock'];

// Tickets: what a shop's letters are about, over several lines.
const queues = {
  billing: [
    'I was charged twice for the {good}',
    'the invoice shows a price that I never agreed to',
    'my card was debited although I cancelled',
    'there is no tax number on the bill that you sent',
    'the discount for the {good} was not taken off',
  ],
  delivery: [
    'the {good} has not arrived and nobody tells me where it is',
    'the driver left the parcel in front of another house',
    'tracking has said "on its way" for nine days',
    'can the {good} be sent to my office instead',
    'it was to come on Monday and I waited for nothing',
  ],
  returns: [
    'the {good} came broken and I want to send it back',
    'how do I return the {good}, the box is gone',
    'the colour is not what the picture shows, please take it back',
    'I sent the {good} back two weeks ago and heard nothing',
    'one leg is shorter than the others, I want another one',
  ],
  account: [
    'I cannot log in since you changed the page',
    'the link to a new password never comes',
    'please delete my data and close my account',
    'my old address is still shown when I log in',
    'somebody else seems to use my account',
  ],
  product: [
    'which bulb fits the {good}',
    'is the {good} safe to put next to an oven',
    'how wide is the {good} without its feet',
    'can the {good} be used outside when it rains',
    'will the {good} be made in green again',
  ],
};
/** What says nothing of the queue, or speaks of another one. */
const asides = [
  'I have been a customer for years.',
  'I wrote about an invoice last month, and that is settled.',
  'The delivery itself was quick, thank you.',
  'I do not want to return anything.',
  'My neighbour has the same {good}.',
  'Please answer by mail and do not call.',
  'They said "soon", twice.',
];
const greetings = ['Hello,', 'Dear team,', 'Hi there', 'Good morning,', 'To whom it may concern,'];
const closings = ['Thanks,', 'Regards,', 'Kind regards,', 'Best,'];
const customers = Array.from({ length: 120 }, (_, i) => ({ number: `C${1000 + i}`, name: pick(first) }));

const sentence = (text) => {
  const said = text.replace('{good}', pick(goods));
  const end = /^(?:which|is|how|can|will) /.test(said) ? '?' : /\.$/.test(said) ? '' : '.';
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}${end}`;
};

const ticket = (i) => {
  const { number, name } = pick(customers);
  const queue = pick(Object.keys(queues));
  const parts = [sentence(pick(queues[queue])), ...(chance(60) ? [sentence(pick(asides))] : [])];
  if (chance(50)) parts.reverse();
  const order = chance(40) ? [`Order ${10000 + draw(89999)}, ${draw(28) + 1} May`] : [];
  const body = [pick(greetings), '', ...(chance(50) ? parts : [parts.join(' ')]), ...order, '', pick(closings), name];
  return [`T${5000 + i}`, number, body.join('\n'), queue];
};

write('tickets.csv', [['id', 'customer', 'body', 'queue'], ...distinct(600, ticket, ([, , body]) => body)]);

// Reviews: what stands behind "but" decides, and "not" turns a word around.
const good = ['bright', 'quiet', 'solid', 'handsome', 'easy to clean', 'worth its price', 'a joy'];
const bad = ['dim', 'loud', 'flimsy', 'ugly', 'hard to clean', 'too dear', 'a nuisance'];
const plain = [
  'It is made of oak and weighs nine kilos',
  'The box holds two of them and a key',
  'I bought it in May for the hall',
  'It comes with a cable of two metres',
  'There are three sizes, and this is the middle one',
];
const openings = ['The {good} is', 'I find the {good}', 'After a week the {good} is', 'My sister calls the {good}'];

/** A word for praise or for blame, or the opposite one with a "not" before it. */
const word = (isGood) => {
  if (chance(65)) return pick(isGood ? good : bad);
  return `${pick(['not', 'anything but', 'by no means'])} ${pick(isGood ? bad : good)}`;
};
const opinion = (isGood) => `${pick(openings).replace('{good}', pick(goods))} ${word(isGood)}`;
const review = () => {
  const sentiment = pick(['positive', 'negative', 'neutral']);
  const fact = pick(plain);
  if (sentiment === 'neutral') return [`${fact}. ${pick(others(plain, fact))} (${pick(goods)}).`, sentiment];
  const isGood = sentiment === 'positive';
  if (chance(40)) return [`${opinion(!isGood)}, but it is ${word(isGood)}, and that is what counts.`, sentiment];
  return [`${opinion(isGood)}${chance(50) ? ` and ${word(isGood)}` : ''}. ${fact}.`, sentiment];
};

write('reviews.csv', [['text', 'sentiment'], ...distinct(600, review, ([text]) => text)]);

// Questions: two ways to ask, of the same thing or of another.
const asked = [
  [
    'When will the {good} arrive?',
    'How long does it take until I have the {good}?',
    'On what day do you deliver the {good}?',
  ],
  ['How do I return the {good}?', 'Can I send the {good} back?', 'What do I do with a {good} that I do not want?'],
  ['What does the {good} cost?', 'How dear is the {good}?', 'What is the price of the {good}?'],
  ['Is the {good} made of wood?', 'What is the {good} made of?', 'Which material did you use for the {good}?'],
  ['Does the {good} fit a small room?', 'How large is the {good}?', 'What are the measures of the {good}?'],
  [
    'May I pay for the {good} in parts?',
    'Can the price of the {good} be split?',
    'Do you take instalments for the {good}?',
  ],
];

const pair = () => {
  const [ways, thing] = [pick(asked), pick(goods)];
  const one = pick(ways);
  const ask = (way, what) => way.replace('{good}', what);
  if (chance(50)) return [ask(one, thing), ask(pick(others(ways, one)), thing), 'same'];
  return chance(50)
    ? [ask(one, thing), ask(pick(others(ways, one)), pick(others(goods, thing))), 'different']
    : [ask(one, thing), ask(pick(pick(others(asked, ways))), thing), 'different'];
};

write('questions.csv', [['question1', 'question2', 'label'], ...distinct(600, pair, (row) => row.join('\n'))]);
