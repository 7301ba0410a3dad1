import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

/** `liandun witness` as it is built, in a process of its own; after a stop it starts again on its key, its store and its port. */
export class WitnessProcess {
  url = '';
  vkey = '';
  private child: ChildProcess | undefined;
  private output = '';

  private constructor(
    readonly folder: string,
    private readonly logVkey: string,
    private readonly name: string,
  ) {}

  static async start(logVkey: string, name = 'witness.test/w1'): Promise<WitnessProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'liandun-test-witness-'));
    const witness = new WitnessProcess(folder, logVkey, name);
    await witness.run();
    return witness;
  }

  /** Its line of a policy. */
  get policyLine(): string {
    return `witness ${this.name} ${this.vkey} ${this.url}`;
  }

  async run(): Promise<void> {
    const port = this.url === '' ? '0' : new URL(this.url).port;
    const argv = ['--key', 'key.jwk', '--store', 'store.db', '--name', this.name, '--log', this.logVkey, '--json'];
    const script = join(process.cwd(), 'dist/apps/cli/src/main.js');
    this.output = '';
    this.child = spawn(process.execPath, [script, 'witness', '--listen', `127.0.0.1:${port}`, ...argv], {
      cwd: this.folder,
      env: { ...process.env, NODE_OPTIONS: '', LANG: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    while (!this.output.includes('\n')) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`the witness ended: ${this.output}`);
      await sleep(20);
    }
    const [listening] = this.events();
    if (!listening?.url) throw new Error(`the witness does not listen: ${this.output}`);
    [this.url, this.vkey] = [listening.url, listening.vkey ?? ''];
  }

  /** What it has told its operator since it was started. */
  events(): { event: string; url?: string; vkey?: string; size?: number }[] {
    return this.output
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { event: string });
  }

  /** Writes into the store of a stopped witness what it is to have cosigned. */
  forge(origin: string, { size, rootHash, note }: { size: number; rootHash: Uint8Array; note: string }): void {
    const db = new DatabaseSync(join(this.folder, 'store.db'));
    db.prepare('insert or replace into log (origin, size, root_hash, note) values (?, ?, ?, ?)').run(
      origin,
      size,
      rootHash,
      note,
    );
    db.close();
  }

  /** Ends it, and gives its exit code or the signal. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | string | null> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const gone = once(child, 'exit');
    child.kill(signal);
    const [code, by] = (await gone) as [number | null, string | null];
    return code ?? by;
  }

  /** Holds all answers back, as a machine that hangs. */
  pause(): void {
    this.child?.kill('SIGSTOP');
  }

  resume(): void {
    this.child?.kill('SIGCONT');
  }

  async end(): Promise<void> {
    await this.stop('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}
