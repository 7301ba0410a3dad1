import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseEnv } from 'node:util';

const root = join(import.meta.dirname, '../..');
const cache = process.env['LIANDUN_HOME'] ?? join(root, '.liandun');

/** The launcher in a process of its own, as `npm start` runs it, on a state folder of the test's. */
export class Launcher {
  output = '';
  readonly pid: number;
  /** The exit code, or the signal. */
  readonly ended: Promise<number | string>;
  readonly #kill: (signal: NodeJS.Signals) => void;

  constructor(home: string, args: string[] = [], env: Record<string, string> = {}) {
    // The servers of the test run are not the ones that the launcher is to use.
    const { DATABASE_URL: _d, KAFKA_BROKERS: _k, KAFKA_INTERNAL: _i, LIANDUN_ISSUER: _l, ...inherited } = process.env;
    const child = spawn(process.execPath, [join(root, 'deploy/local/start.mjs'), ...args], {
      cwd: root,
      env: { ...inherited, LANG: 'C.UTF-8', LIANDUN_HOME: home, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.pid = child.pid ?? 0;
    this.ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
    this.#kill = (signal) => child.kill(signal);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (this.output += chunk));
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#kill(signal);
  }

  /** Waits until the output matches; throws, with all of it, when the launcher ends first. */
  async saw(pattern: RegExp): Promise<void> {
    let how: number | string | undefined;
    void this.ended.then((code) => (how = code));
    while (!pattern.test(this.output)) {
      if (how !== undefined) throw new Error(`the launcher ended (${how}):\n${this.output}`);
      await sleep(50);
    }
  }
}

/** Lets a state folder use the broker's jars that the test run has fetched already. */
export async function shareJars(home: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (/^kafka-jars-\w+(\.jsa)?$/.test(name)) await symlink(join(cache, name), join(home, name));
  }
}

/** What the launcher wrote for programs in that state folder. */
export async function envOf(home: string): Promise<Record<string, string>> {
  return parseEnv(await readFile(join(home, 'env'), 'utf8')) as Record<string, string>;
}

/** The cause of a launcher that ended with 1: its last line, which has the remedy in both languages and is no stack. */
export async function causeOf(launcher: Launcher): Promise<string> {
  const code = await launcher.ended;
  const line = launcher.output.trim().split('\n').at(-1) ?? '';
  if (code === 1 && /\p{Script=Han}/u.test(line) && !/^\s+at /m.test(launcher.output)) return line;
  throw new Error(`the launcher ended (${code}) without cause and remedy:\n${launcher.output}`);
}

/** Whether something listens there. */
export async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
