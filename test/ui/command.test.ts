import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decant } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';
import { askPort } from './page.ts';

describe('decant ui', () => {
  it('prints its address, answers there, and ends well at Ctrl-C', async () => {
    using space = workspace();
    mkdirSync(space.path('runs'));
    const statuses: number[] = [];
    const { code, signal, stdout, stderr } = await decant(['ui'], {
      cwd: space.folder,
      onText: (text, child) => {
        const [address] = /http:\S+/.exec(text) ?? [];
        if (address === undefined) return;
        const { port, search } = new URL(address);
        void askPort(Number(port), `/${search}`).then(({ status }) => {
          statuses.push(status);
          child.kill('SIGINT');
        });
      },
    });
    expect({ code, signal, stderr, statuses }).toEqual({ code: 0, signal: null, stderr: '', statuses: [200] });
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{48}\n\nCtrl-C ends it\.\n$/);
  });

  it('opens the browser, and tells machines its address in one line', async () => {
    using space = workspace();
    mkdirSync(space.path('runs'));
    const { code, stdout } = await decant(['ui', 'runs', '--open', '--json'], {
      cwd: space.folder,
      env: { BROWSER: 'true' },
      onText: (_, child) => setTimeout(() => child.kill('SIGTERM'), 500),
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      schema: 'decant.ui/1',
      folder: 'runs',
      address: expect.stringMatching(/^http:/),
    });
    expect(stdout.trim()).not.toContain('\n');
  });

  it('is refused where there is no folder, or no such port', async () => {
    using space = workspace();
    const missing = await decant(['ui'], { cwd: space.folder });
    expect([missing.code, missing.stderr]).toEqual([
      2,
      'runs: no such folder; expected a folder of runs, as decant run leaves it beside the file\n',
    ]);
    expect((await decant(['ui', '.', '--port', '70000'], { cwd: space.folder })).stderr).toContain(
      'Expected a whole number from 1 to 65535.',
    );
  });
});
