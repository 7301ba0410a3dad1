import { LiandunError } from '@liandun/sdk';
import { CommanderError } from 'commander';
import { problemText } from './commands/common.js';
import { Context, languageOf, type Surroundings } from './context.js';
import { CliError, EXIT, exitCodeOf, type ExitCode } from './exit-codes.js';
import { programOf } from './program.js';

/** Runs one command line. Never throws: what went wrong is written to the error output, and the exit code says it. */
export async function run(argv: readonly string[], around: Surroundings): Promise<ExitCode> {
  const context = new Context(around, languageOf(argv, around.env));
  let exitCode: ExitCode = EXIT.done;
  try {
    await programOf(context, (code) => (exitCode = code)).parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    return told(context, error, argv.includes('--json'));
  }
}

function told(context: Context, error: unknown, json: boolean): ExitCode {
  if (error instanceof CommanderError) {
    // Commander has already written its message; help and version are no error.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  const { exitCode, code, message, messageZh } = described(context, error);
  if (json) context.note(JSON.stringify({ error: { code, message, messageZh } }));
  else context.note(`${context.colors.red('✗')} ${context.t(message, messageZh)}`);
  return exitCode;
}

interface Described {
  exitCode: ExitCode;
  code: string;
  message: string;
  messageZh: string;
}

function described(context: Context, error: unknown): Described {
  if (error instanceof CliError) return error;
  if (error instanceof LiandunError) {
    const exitCode = exitCodeOf(error);
    const { code, problem } = error;
    if (exitCode === EXIT.unreachable) {
      const why = error.message;
      return {
        exitCode,
        code,
        message: `${why}. Is the ledger running? Try liandun doctor.`,
        messageZh: `${why}。账本是否在运行？可运行 liandun doctor 检查。`,
      };
    }
    const text = problem ? problemText(context, problem) : `${code}: ${error.message}`;
    return { exitCode, code, message: text, messageZh: text };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const text = context.around.env.LIANDUN_DEBUG ? (stack ?? message) : message;
  return { exitCode: EXIT.failed, code: 'FAILED', message: text, messageZh: text };
}
