import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const VERSION = '4.32.5';
const INSTALL_TIME_MAX_MS = 300_000;
const TOKEN_RENEWED_AFTER_MS = 60_000;

const CONFIG = resolve('test/fuzz/schemathesis.toml');

/** A schema can't say what a check digit, a rule or the state of the ledger refuses. */
const UNDECIDABLE = ['positive_data_acceptance'];

/** Python's schemathesis, under the state folder; why there is none where it can't be installed. */
export async function schemathesis(): Promise<{ path: string } | { missing: string }> {
  const folder = join(resolve(process.env['LIANDUN_HOME'] ?? '.liandun'), `schemathesis-${VERSION}`);
  const path = join(folder, 'bin/schemathesis');
  // A virtual environment can't be moved, so its last step says that it is whole.
  const whole = join(folder, 'installed');
  if (existsSync(whole)) return { path };
  try {
    await mkdir(folder, { recursive: true });
    await run('python3', ['-m', 'venv', '--clear', folder], { timeout: INSTALL_TIME_MAX_MS });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`];
    await run(join(folder, 'bin/python'), pip, { timeout: INSTALL_TIME_MAX_MS });
    await writeFile(`${whole}.new`, '');
    await rename(`${whole}.new`, whole);
    return { path };
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string | number; stderr?: string };
    return { missing: code === 'ENOENT' ? 'python3 is not installed' : stderr.trim().split('\n').at(-1) || `${code}` };
  }
}

export interface Fuzzing {
  /** Where schemathesis is installed. */
  path: string;
  /** Address of the API under test. */
  url: string;
  seconds: number;
  /** The same requests again; others each time where it is left out. */
  seed?: number;
  /** A fresh access token of the member in whose name it asks. */
  token: () => Promise<string>;
  /** Path parameters that lead to something, by name. */
  known: Record<string, string[]>;
  /** Extra headers of every request. */
  headers?: Record<string, string>;
}

/** Lets schemathesis try every operation of the live OpenAPI document; code 0 where nothing was found. */
export async function fuzz({
  path,
  url,
  seconds,
  seed,
  token,
  known,
  headers = {},
}: Fuzzing): Promise<{ code: number; output: string }> {
  const state = await mkdtemp(join(tmpdir(), 'liandun-test-fuzz-'));
  const renew = async (): Promise<void> => {
    await writeFile(join(state, 'token.new'), await token());
    await rename(join(state, 'token.new'), join(state, 'token'));
  };
  await renew();
  await writeFile(join(state, 'known.json'), JSON.stringify(known));
  const renewal = setInterval(() => void renew().catch(() => undefined), TOKEN_RENEWED_AFTER_MS);
  try {
    // Its answer doesn't end: notices.int-spec.ts tries it.
    const left = ['--exclude-path', '/v1/notices/stream'];
    const checks = ['--checks', 'all', '--exclude-checks', UNDECIDABLE.join(), '--warnings', 'off'];
    const bounds = ['--max-time', String(seconds), '--request-timeout', '30', '--continue-on-failure'];
    if (seed !== undefined) bounds.push('--seed', String(seed));
    const extra = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    const args = [
      '--config-file',
      CONFIG,
      '--no-color',
      'run',
      `${url}/openapi.json`,
      ...left,
      ...checks,
      ...bounds,
      ...extra,
    ];
    const child = spawn(path, args, {
      cwd: state,
      env: {
        ...process.env,
        PYTHONPATH: resolve('test/fuzz'),
        PYTHONDONTWRITEBYTECODE: '1',
        SCHEMATHESIS_HOOKS: 'hooks',
        LIANDUN_FUZZ_STATE: state,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? -1, output: output.join('') };
  } finally {
    clearInterval(renewal);
    await rm(state, { recursive: true, force: true });
  }
}
