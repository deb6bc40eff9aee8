import { stageError } from '../../ground/errors.ts';

export const PUBLIC_HUB = 'https://huggingface.co';

const loopback = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/** What crosses a network must be encrypted; what stays on this machine need not. */
export const isSafe = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname));

/** What is wrong with an address of a hub, if anything is. */
export const endpointProblem = (endpoint: string): string | undefined => {
  if (!URL.canParse(endpoint)) return `HF_ENDPOINT is '${endpoint}'; expected an address such as ${PUBLIC_HUB}`;
  const url = new URL(endpoint);
  // The address is part of reports: a password in it would be, too.
  if (url.username !== '' || url.password !== '') return 'HF_ENDPOINT holds a user or password; set HF_TOKEN instead';
  if (url.search !== '' || url.hash !== '') return `HF_ENDPOINT is '${endpoint}'; expected an address without ? and #`;
  if (isSafe(url)) return undefined;
  return `HF_ENDPOINT is '${endpoint}'; expected https:// (http:// for hosts of this machine only)`;
};

/** The address of the hub that is asked: HF_ENDPOINT, or the public one. */
export const endpointFrom = ({ HF_ENDPOINT }: Readonly<Record<string, string | undefined>>): string =>
  (HF_ENDPOINT ?? '').trim().replace(/\/+$/, '') || PUBLIC_HUB;

/** The token of HF_TOKEN, if one is set. What it is never shows in a message. */
export const tokenFrom = ({ HF_TOKEN }: Readonly<Record<string, string | undefined>>): string | undefined => {
  const token = (HF_TOKEN ?? '').trim();
  if (token === '') return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw stageError('HF_TOKEN holds characters that no token has; set it to the token alone');
};
