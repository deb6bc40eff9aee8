type Child = Node | string | null;

const SVG = 'http://www.w3.org/2000/svg';

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** False leaves an attribute out. All texts become text nodes: nothing that is shown is ever read as markup. */
const fill = <Made extends Element>(made: Made, attributes: Attributes, children: readonly Child[]): Made => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? '' : `${value}`);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
};

export const element = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] => fill(document.createElement(tag), attributes, children);

export const drawn = <Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] => fill(document.createElementNS(SVG, tag), attributes, children);

/** An element of the page by its id. */
export const part = (id: string): HTMLElement => {
  const there = document.getElementById(id);
  if (there === null) throw new Error(`the page has no "${id}"`);
  return there;
};

/** The same where it has to be of a kind. */
export const partOf = <Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind => {
  const there = part(id);
  if (there instanceof kind) return there;
  throw new Error(`"${id}" is no ${kind.name}`);
};

/** Shows a text, or nothing at all where it is empty. */
export const say = (id: string, text: string): void => {
  const there = part(id);
  if (there.textContent !== text) there.textContent = text;
  there.hidden = text === '';
};

/** A picture below its title; `said` is what it says to whoever does not see it. */
export const charted = (title: string, said: string, drawing: SVGElement, ...below: readonly HTMLElement[]) =>
  element(
    'div',
    { class: 'chart' },
    element('p', { class: 'chart-title' }, title),
    element('div', { role: 'img', 'aria-label': said }, drawing),
    ...below,
  );

/** A table that scrolls by itself, reachable from the keyboard. */
export const scrolling = (label: string, table: HTMLTableElement): HTMLElement =>
  element('div', { class: 'scroll', role: 'group', 'aria-label': label, tabindex: 0 }, table);
