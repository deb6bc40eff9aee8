import type { Answered, ModelChoice, Question } from '../shapes.ts';
import { element, part, partOf } from './dom.ts';
import { send, wordsOf } from './server.ts';

const model = (): HTMLSelectElement => partOf('ask-model', HTMLSelectElement);
const textOf = (id: string): string => partOf(id, HTMLTextAreaElement).value;

/** Offers the models of a run; the choice stays where the run has the same model. */
export const offer = (models: readonly ModelChoice[], isSame: boolean): void => {
  part('ask').hidden = models.length === 0;
  if (!isSame) part('ask-said').replaceChildren();
  const chosen = model().value;
  model().replaceChildren(...models.map(({ id, title }) => element('option', { value: id }, title)));
  if (models.some(({ id }) => id === chosen)) model().value = chosen;
  else model().selectedIndex = models.length - 1;
};

const ask = async (run: string): Promise<void> => {
  const question: Question = { model: model().value, text: textOf('ask-text'), pair: textOf('ask-pair') };
  const said = part('ask-said');
  const button = partOf('ask-button', HTMLButtonElement);
  said.replaceChildren(element('p', {}, `Asking ${question.model}.`));
  button.disabled = true;
  try {
    const { answer, notes } = await send<Answered>(`runs/${run}/ask`, question);
    said.replaceChildren(
      ...(answer === '' ? [] : [element('pre', {}, answer)]),
      ...(notes === '' ? [] : [element('p', { class: 'warning' }, notes)]),
    );
  } catch (error) {
    said.replaceChildren(element('p', { class: 'warning' }, wordsOf(error)));
  } finally {
    button.disabled = false;
  }
};

export const listenToQuestions = (run: () => string): void => {
  part('ask-form').addEventListener('submit', (event) => {
    event.preventDefault();
    void ask(run());
  });
};
