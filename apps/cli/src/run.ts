import { LiandunError } from '@liandun/sdk';
import { TlsError } from '@liandun/tls';
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

const SYSTEM: Record<string, [en: string, zh: string]> = {
  ENOENT: ['There is no such file', '文件不存在'],
  EACCES: ['No permission', '没有权限'],
  EISDIR: ['This is a folder, not a file', '这是文件夹，不是文件'],
  ENOSPC: ['The disk is full; what was done so far is kept', '磁盘已满；已完成的部分已保留'],
  Z_BUF_ERROR: ['The compressed file is cut off; get it again', '压缩文件不完整，请重新获取'],
  Z_DATA_ERROR: ['The compressed file is damaged; get it again', '压缩文件已损坏，请重新获取'],
  CSV_MAX_RECORD_SIZE: [
    'A CSV row is longer than 1 MB: is a quotation mark missing?',
    'CSV 某行超过 1 MB：是否缺少引号？',
  ],
  CSV_QUOTE_NOT_CLOSED: ['A quotation mark in the CSV is never closed', 'CSV 中有未闭合的引号'],
};

/** What the operating system or a decoder said of a file, in words. */
function systemError(error: unknown): Described | undefined {
  const { code = '', path } = error as NodeJS.ErrnoException;
  const texts = SYSTEM[code];
  if (!texts) return undefined;
  const [message, messageZh] = texts.map((text) => (path ? `${text}: ${path}` : text)) as [string, string];
  return { exitCode: EXIT.usage, code, message, messageZh };
}

interface Described {
  exitCode: ExitCode;
  code: string;
  message: string;
  messageZh: string;
}

function described(context: Context, error: unknown): Described {
  if (error instanceof CliError) return error;
  if (error instanceof TlsError)
    return { exitCode: EXIT.usage, code: error.code, message: error.english, messageZh: error.chinese };
  if (error instanceof LiandunError) {
    const exitCode = exitCodeOf(error);
    const { code, problem } = error;
    if (code === 'UNTRUSTED_SERVER') {
      return {
        exitCode,
        code,
        message: `${error.message}; here with --ca FILE or LIANDUN_CA. Try liandun doctor.`,
        messageZh: `账本证书无效或不受信任（${error.message}）：请用 --ca 文件 或 LIANDUN_CA 指定签发 CA，或运行 liandun doctor 检查。`,
      };
    }
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
  const system = systemError(error);
  if (system) return system;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const text = context.around.env.LIANDUN_DEBUG ? (stack ?? message) : message;
  return { exitCode: EXIT.failed, code: 'FAILED', message: text, messageZh: text };
}
