import { PassThrough, Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Context, type Language } from '../context.js';
import { run } from '../run.js';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs a command line in this process, with an environment of its own; `heard` gets what it prints as it prints it. */
export async function liandun(
  argv: string[],
  given: {
    env?: Record<string, string>;
    cwd?: string;
    stdin?: string;
    interrupted?: AbortSignal;
    heard?: (out: string) => void;
  } = {},
): Promise<Ran> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const [out, err] = [collected(stdout, given.heard), collected(stderr)];
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

async function collected(stream: PassThrough, heard: (text: string) => void = () => undefined): Promise<string> {
  let all = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    all += text;
    heard(text);
  });
  await finished(stream);
  return all;
}

/** A context for what only makes texts: nothing is read, what is written goes nowhere. */
export function contextIn(lang: Language): Context {
  const [stdin, stdout, stderr] = [Readable.from(['']), new PassThrough(), new PassThrough()];
  return new Context({ env: {}, cwd: '/', stdin, stdout, stderr, interrupted: new AbortController().signal }, lang);
}
