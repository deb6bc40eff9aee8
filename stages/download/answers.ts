import { stageError } from '../../ground/errors.ts';
import { type Hub, PassingError } from './hub.ts';
import type { Answer } from './request.ts';
import { type HubModel, repositoryOf } from './specifier.ts';

/** What a request was for: the model itself, or one of its files. */
export interface Asked {
  readonly model: HubModel;
  readonly file?: string;
}

const whatOf = ({ model, file }: Asked): string =>
  file === undefined ? repositoryOf(model) : `${file} of ${repositoryOf(model)}`;

const numberIn = (text: string | null, pattern: RegExp): number | undefined => {
  const found = pattern.exec(text ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
};

/** Milliseconds that an answer asks to wait: seconds, a date, or the hub's own `"api";r=0;t=55`. */
const waitOf = (headers: Answer['headers'], now: number): number | undefined => {
  const after = headers.get('retry-after');
  const seconds = numberIn(after, /^\s*(\d{1,9})\s*$/) ?? numberIn(headers.get('ratelimit'), /r=0;\s*t=(\d{1,9})/);
  if (seconds !== undefined) return seconds * 1000;
  const date = Date.parse(after ?? '');
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
};

const busy = ({ status, headers }: Answer, asked: Asked): PassingError => {
  const waitMs = waitOf(headers, Date.now());
  const reason = status === 429 ? 'it got too many requests' : 'it fails at the moment';
  return new PassingError(`the hub answers ${status} for ${whatOf(asked)}: ${reason}`, { waitMs });
};

/** 401 is also the hub's answer for models that do not exist, so that nobody learns which private ones do. */
const unauthorized = (asked: Asked, token: string | undefined): string =>
  token === undefined
    ? `the hub does not show ${whatOf(asked)} without a token (401): check the name; if the model is private or gated, set HF_TOKEN to a token that may read it`
    : `the hub refuses ${whatOf(asked)} to the token in HF_TOKEN (401): check the name, and that the token is valid and may read it`;

const forbidden = (asked: Asked, { endpoint, token }: Hub): string => {
  const page = `${endpoint}/${repositoryOf(asked.model)}`;
  const set = token === undefined ? ', then set HF_TOKEN to your token' : ' for the account whose token HF_TOKEN holds';
  return `the hub refuses ${whatOf(asked)} (403): it is gated or private; ask for access at ${page}${set}`;
};

const missing = ({ model, file }: Asked, headers: Answer['headers'], endpoint: string): string => {
  const repository = repositoryOf(model);
  if (file !== undefined) return `the hub lists ${file} of ${repository}, but does not have it (404)`;
  if (headers.get('x-error-code') === 'RevisionNotFound') {
    return `${repository} has no revision '${model.revision}' (404); its branches and commits are at ${endpoint}/${repository}/commits/main`;
  }
  return `there is no ${repository} with a revision '${model.revision}' at ${endpoint} (404): check the name and the revision`;
};

/** Nothing for a good answer; an error that says what to do for every other. */
export const failureOf = (answer: Answer, asked: Asked, hub: Hub): Error | undefined => {
  const { status, headers, host } = answer;
  if (status === 200 || status === 206) return undefined;
  if (status === 429 || status === 408 || status >= 500) return busy(answer, asked);
  // Addresses that the hub redirects to are signed for a time: the next attempt asks for a new one.
  if (host !== new URL(hub.endpoint).host) {
    return new PassingError(`${host}, to which the hub redirects, answers ${status} for ${whatOf(asked)}`);
  }
  if (status === 401 && headers.get('x-error-code') !== 'GatedRepo') {
    return stageError(unauthorized(asked, hub.token));
  }
  if (status === 401 || status === 403) return stageError(forbidden(asked, hub));
  if (status === 404) return stageError(missing(asked, headers, hub.endpoint));
  return stageError(`the hub answers ${status} for ${whatOf(asked)}; expected 200`);
};
