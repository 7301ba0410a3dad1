import { PassThrough, Readable } from 'node:stream';
import { run } from '../run.js';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs a command line in this process, with an environment of its own. */
export async function liandun(
  argv: string[],
  given: { env?: Record<string, string>; cwd?: string; stdin?: string; interrupted?: AbortSignal } = {},
): Promise<Ran> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const [out, err] = [collected(stdout), collected(stderr)];
  const code = await run(argv, {
    env: { LANG: 'C', ...given.env },
    cwd: given.cwd ?? '/',
    stdin: Readable.from([given.stdin ?? '']),
    stdout,
    stderr,
    interrupted: given.interrupted ?? new AbortController().signal,
  });
  stdout.end();
  stderr.end();
  return { code, out: await out, err: await err };
}

const collected = async (stream: PassThrough): Promise<string> => (await stream.setEncoding('utf8').toArray()).join('');
