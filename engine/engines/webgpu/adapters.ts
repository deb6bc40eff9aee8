import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Device } from '../kind.ts';

const run = promisify(execFile);

const SECONDS = 10_000;

const outputOf = async (command: string, args: readonly string[]): Promise<string> =>
  (await run(command, [...args], { timeout: SECONDS })).stdout;

/** Of NVIDIA's own driver: the model of a card, and the version that it reports. */
export const nvidiaCard = (information: string, version: string): Device => {
  const name = /^Model:\s*(.+)$/m.exec(information)?.[1]?.trim() ?? 'an NVIDIA card';
  const driver = /Kernel Module(?: for \S+)?\s+(\d[\d.]*)/.exec(version)?.[1];
  return driver === undefined ? { name } : { name, driver: `NVIDIA ${driver}` };
};

const textAt = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8').trim();

/** What can be said about something that may not be there. */
const orNone = <T>(read: () => readonly T[]): readonly T[] => {
  try {
    return read();
  } catch {
    return [];
  }
};

const nvidiaRoot = '/proc/driver/nvidia';

const nvidiaCards = (): readonly Device[] =>
  orNone(() =>
    readdirSync(join(nvidiaRoot, 'gpus')).map((gpu) =>
      nvidiaCard(textAt(nvidiaRoot, 'gpus', gpu, 'information'), textAt(nvidiaRoot, 'version')),
    ),
  );

const cardRoot = '/sys/class/drm';

/** Cards by the numbers of their makers, which the system knows without a list of names. */
const otherCards = (): readonly Device[] =>
  orNone(() => readdirSync(cardRoot).filter((name) => /^card\d+$/.test(name))).flatMap((card) =>
    orNone(() => {
      const device = join(cardRoot, card, 'device');
      const [maker, model] = [textAt(device, 'vendor'), textAt(device, 'device')].map((hex) => hex.replace(/^0x/, ''));
      const driver = basename(readlinkSync(join(device, 'driver')));
      return [{ name: `${driver} card ${maker}:${model}`, driver }];
    }),
  );

const macSchema = z.object({ SPDisplaysDataType: z.array(z.object({ sppci_model: z.string() })) });

/** What `system_profiler SPDisplaysDataType -json` lists. */
export const macCards = (json: string): readonly Device[] =>
  macSchema.parse(JSON.parse(json)).SPDisplaysDataType.map((card) => ({ name: card.sppci_model }));

const windowsCard = z.object({ Name: z.string(), DriverVersion: z.string().nullable() });
const windowsSchema = z.union([z.array(windowsCard), windowsCard.transform((card) => [card])]);

/** What Windows draws with where there is no card. */
const DRAWN_BY_PROCESSOR = /^Microsoft Basic/;

/** What Win32_VideoController lists, one or several. */
export const windowsCards = (json: string): readonly Device[] =>
  windowsSchema.parse(JSON.parse(json)).map(({ Name, DriverVersion }) => ({
    name: Name,
    ...(DriverVersion === null ? {} : { driver: DriverVersion }),
    ...(DRAWN_BY_PROCESSOR.test(Name) ? { software: true } : {}),
  }));

const windowsQuery =
  'Get-CimInstance Win32_VideoController | Select-Object Name,DriverVersion | ConvertTo-Json -Compress';

/** The cards of this machine as its system calls them. */
const cardsHere = async (): Promise<readonly Device[]> => {
  try {
    switch (process.platform) {
      case 'darwin':
        return macCards(await outputOf('system_profiler', ['SPDisplaysDataType', '-json']));
      case 'win32':
        return windowsCards(await outputOf('powershell', ['-NoProfile', '-Command', windowsQuery]));
      default: {
        const cards = nvidiaCards();
        return cards.length > 0 ? cards : otherCards();
      }
    }
  } catch {
    return [];
  }
};

/** Drivers for Vulkan that compute on the processor, by their files. */
const software: Readonly<Record<string, RegExp>> = {
  SwiftShader: /^libvk_swiftshader\b/,
  llvmpipe: /^libvulkan_lvp\b/,
};

/** Files of drivers of cards. */
const ofCards = /^lib(vulkan_(?!lvp)\w+|GLX_nvidia|nvidia|amdvlk|VkICD)/;

/** The adapter that a process with these libraries in its memory computed on. */
export const adapterOf = async (libraries: readonly string[]): Promise<Device> => {
  const [processor] = Object.entries(software).filter(([, file]) => libraries.some((name) => file.test(name)));
  if (processor !== undefined && !libraries.some((name) => ofCards.test(name))) {
    return { name: `${processor[0]}, which computes on the processor`, software: true };
  }
  const [card] = await cardsHere();
  return card ?? { name: 'a GPU that the system has no name for' };
};
