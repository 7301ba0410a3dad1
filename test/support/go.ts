import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const BUILD_TIME_MAX_MS = 540_000;

/** Whether Go is installed: the verifiers that nobody here wrote are built with it. */
export const hasGo: boolean = await run('go', ['version']).then(
  () => true,
  () => false,
);

/**
 * Builds a Go program and answers its path; it is kept under the state folder, by what it is made of. `files` are those of its
 * module: the modules that go.mod names come from the Go module proxy.
 */
export async function buildGo(name: string, files: Record<string, string>, pkg = '.'): Promise<string> {
  const content = createHash('sha256')
    .update(JSON.stringify([files, pkg]))
    .digest('hex')
    .slice(0, 12);
  const cache = join(resolve(process.env['LIANDUN_HOME'] ?? '.liandun'), 'go');
  const path = join(cache, `${name}-${content}`);
  if (existsSync(path)) return path;
  await mkdir(cache, { recursive: true });
  const dir = await mkdtemp(join(tmpdir(), 'liandun-test-go-'));
  try {
    for (const [file, text] of Object.entries(files)) await writeFile(join(dir, file), text);
    const env = { ...process.env, GOFLAGS: '-mod=mod' };
    await run('go', ['build', '-o', 'program', pkg], { cwd: dir, env, timeout: BUILD_TIME_MAX_MS });
    // Whole or not at all: another run may build it too.
    await rename(join(dir, 'program'), path).catch(async () => {
      await run('cp', [join(dir, 'program'), `${path}.${process.pid}`]);
      await rename(`${path}.${process.pid}`, path);
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return path;
}

/** Runs a program to its end. */
export async function runProgram(path: string, args: string[]): Promise<{ code: number; output: string }> {
  try {
    const { stdout, stderr } = await run(path, args, { timeout: 120_000, maxBuffer: 64 * 1024 * 1024 });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: code ?? -1, output: stdout + stderr };
  }
}

/** Serves files by path over HTTP on loopback; `undefined` is a 404. With a token, all but it get a 401. */
export async function serveFiles(
  read: (path: string) => Promise<Uint8Array | string | undefined>,
  token?: string,
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401).end();
      return;
    }
    read(request.url!.slice(1)).then(
      (bytes) => (bytes === undefined ? response.writeHead(404).end() : response.end(bytes)),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
