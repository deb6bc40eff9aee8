import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** SwiftShader, a driver for Vulkan that computes on the processor, as Debian's chromium brings it. */
const DRIVER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Lets WebGPU find an adapter where no card is: a driver for tests, unless somebody named another one. */
export const allowSoftwareAdapter = (): void => {
  if (process.platform !== 'linux' || !existsSync(DRIVER)) return;
  process.env.VK_ICD_FILENAMES ??= DRIVER;
  process.env.XDG_RUNTIME_DIR ??= mkdtempSync(join(tmpdir(), 'decant-vulkan-'));
};
