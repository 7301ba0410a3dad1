// A witness that nobody here wrote: litewitness of filippo.io/torchwood. It signs through an ssh-agent, which is the few lines
// below. Both come from the Go module proxy and are built once.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { EMPTY_ROOT, parseVerifierKey } from '@liandun/transparency-log';
import { buildGo } from './go.js';

const MODULE = {
  'go.mod':
    'module witness\n\ngo 1.24.0\n\nrequire (\n\tfilippo.io/torchwood v0.9.0\n\tgolang.org/x/crypto v0.46.0\n)\n',
  'tools.go': '//go:build tools\n\npackage tools\n\nimport _ "filippo.io/torchwood/cmd/litewitness"\n',
  'main.go': `package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func check(err error) {
	if err != nil {
		fmt.Println("FAILED:", err)
		os.Exit(1)
	}
}

func main() {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	check(err)
	keyring := agent.NewKeyring()
	check(keyring.Add(agent.AddedKey{PrivateKey: private}))
	listener, err := net.Listen("unix", os.Args[1])
	check(err)
	key, err := ssh.NewPublicKey(public)
	check(err)
	fmt.Println(ssh.FingerprintSHA256(key))
	for {
		connection, err := listener.Accept()
		check(err)
		go agent.ServeAgent(keyring, connection)
	}
}
`,
};

const NAME = 'litewitness.test/w';

/** litewitness in a process of its own, told to trust one log. */
export class GoWitness {
  private constructor(
    readonly policyLine: string,
    private readonly folder: string,
    private readonly children: ChildProcess[],
  ) {}

  /** Builds it if that wasn't done before: minutes. */
  static build(): Promise<[agent: string, litewitness: string]> {
    return Promise.all([
      buildGo('ssh-agent', MODULE),
      buildGo('litewitness', MODULE, 'filippo.io/torchwood/cmd/litewitness'),
    ]);
  }

  static async start(logVkey: string, port: number): Promise<GoWitness> {
    const [agent, litewitness] = await GoWitness.build();
    const folder = await mkdtemp(join(tmpdir(), 'liandun-test-go-witness-'));
    const children: ChildProcess[] = [];
    const socket = join(folder, 'agent.sock');
    const db = join(folder, 'witness.db');
    const fingerprint = await said(run(children, agent, [socket]), /^(SHA256:\S+)$/m);
    const argv = ['-name', NAME, '-db', db, '-ssh-agent', socket, '-key', fingerprint];
    const vkey = await said(run(children, litewitness, [...argv, '-listen', `127.0.0.1:${port}`]), /vkey=(\S+)/);
    trust(db, logVkey);
    return new GoWitness(`witness ${NAME} ${vkey} http://127.0.0.1:${port}`, folder, children);
  }

  async end(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What its tool witnessctl does. */
function trust(path: string, logVkey: string): void {
  const db = new DatabaseSync(path);
  const origin = parseVerifierKey(logVkey).name;
  db.prepare('insert into log (origin, tree_size, tree_hash) values (?, 0, ?)').run(
    origin,
    EMPTY_ROOT.toString('base64'),
  );
  db.prepare('insert into key (origin, key) values (?, ?)').run(origin, logVkey);
  db.close();
}

function run(children: ChildProcess[], program: string, argv: string[]): ChildProcess {
  const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

/** The first group of what a program says first that matches. */
async function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  for (;;) {
    const [, found] = pattern.exec(output) ?? [];
    if (found !== undefined) return found;
    if (child.exitCode !== null) throw new Error(`it ended: ${output}`);
    await sleep(20);
  }
}
