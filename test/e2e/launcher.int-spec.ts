import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { causeOf, envOf, Launcher, listens, shareJars } from '../support/launcher.js';

const minutes = 60_000;
let home: string;
let launchers: Launcher[];

function launch(args: string[] = [], env: Record<string, string> = {}): Launcher {
  const launcher = new Launcher(home, args, env);
  launchers.push(launcher);
  return launcher;
}

beforeEach(async () => {
  launchers = [];
  home = await mkdtemp(join(tmpdir(), 'liandun-test-'));
  // mkdtemp's folder is root's alone; the launcher has to cope with that as well, but not in every test.
  await chmod(home, 0o755);
});

afterEach(async () => {
  for (const launcher of launchers) launcher.kill('SIGINT');
  await Promise.all(launchers.map(async ({ ended }) => ended));
  await rm(home, { recursive: true, force: true });
});

async function refused(launcher: Launcher, cause: RegExp): Promise<void> {
  expect(await causeOf(launcher)).toMatch(cause);
}

async function portsInUse(): Promise<number[]> {
  const env = await envOf(home);
  const urls = [env['LIANDUN_URL'], `http://${env['KAFKA_BROKERS']}`, env['DATABASE_URL']];
  return urls.map((url) => Number(new URL(url ?? '').port));
}

describe('what is wrong is said in one line with the remedy', () => {
  test('a taken port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await refused(launch([], { LIANDUN_PORT: String(port) }), new RegExp(`port ${port} \\(LIANDUN_PORT\\) is taken`));
    server.close();
  });

  test('no Java', async () => {
    await refused(launch([], { PATH: join(home, '.nothing') }), /Java 17 or newer is needed/);
  });

  test('a state folder of another version', async () => {
    await writeFile(join(home, 'version'), '99\n');
    await refused(launch(), /damaged or of another version \(version 99/);
  });

  test('keys that are no JSON', async () => {
    await writeFile(join(home, 'version'), '1\n');
    await writeFile(join(home, 'keys.json'), '{"signing":');
    await refused(launch(), /keys\.json is damaged/);
  });

  test('an unknown option', async () => {
    await refused(launch(['--for-ever']), /--once, --no-scenario, --lang/);
  });
});

test(
  'starts everything, lets nobody else on its folder, and takes all of it down with kill -9',
  async () => {
    await shareJars(home);
    const first = launch(['--no-scenario']);
    await first.saw(/all up/);
    expect((await stat(join(home, 'keys.json'))).mode & 0o777).toBe(0o600);
    const env = await envOf(home);
    expect(env['LOG_VKEY']).toMatch(/^\S+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/);
    for (const member of ['PLATFORM_A', 'PLATFORM_E', 'REGULATOR_BEIJING', 'ADMIN_2']) {
      expect(JSON.parse(await readFile(env[`${member}_KEY`] ?? '', 'utf8'))).toMatchObject({ crv: 'Ed25519' });
    }
    const ports = await portsInUse();
    expect(await Promise.all(ports.map(listens))).toEqual([true, true, true]);

    await refused(launch(), /another launcher already runs/);

    first.kill('SIGKILL');
    await first.ended;
    const deadline = Date.now() + 60_000;
    while ((await Promise.all(ports.map(listens))).some(Boolean) && Date.now() < deadline) await sleep(100);
    expect(await Promise.all(ports.map(listens))).toEqual([false, false, false]);

    // The folder is free again, and whole.
    const again = launch(['--no-scenario']);
    await again.saw(/all up/);
    again.kill('SIGINT');
    expect(await again.ended).toBe(0);
  },
  5 * minutes,
);

test(
  'plays the scenario and ends with 0',
  async () => {
    await shareJars(home);
    const launcher = launch(['--once', '--lang', 'zh']);
    expect([await launcher.ended, launcher.output]).toEqual([0, expect.stringMatching(/合计 +70 +27 +26 +1 +2 /)]);
    expect(launcher.output).not.toContain('\u001B');
    expect(await Promise.all((await portsInUse()).map(listens))).toEqual([false, false, false]);
  },
  5 * minutes,
);
