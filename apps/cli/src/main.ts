import { run } from './run.js';

const interruption = new AbortController();
let firstAtMs = 0;
// npm passes on the Ctrl-C that the terminal has already sent: only one that comes a second later means "now".
process.on('SIGINT', () => {
  if (firstAtMs === 0) firstAtMs = performance.now();
  else if (performance.now() - firstAtMs > 1_000) process.exit(130);
  interruption.abort();
});
process.on('SIGTERM', () => interruption.abort());
// A reader such as `head` that has seen enough closes the pipe: that is its right.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const { env, stdin, stdout, stderr } = process;
const exitCode = await run(process.argv.slice(2), {
  env,
  cwd: process.cwd(),
  stdin,
  stdout,
  stderr,
  interrupted: interruption.signal,
});
// After Ctrl-C a connection may still be open; what it would bring is a duplicate at the next run.
if (interruption.signal.aborted) process.exit(exitCode);
process.exitCode = exitCode;
