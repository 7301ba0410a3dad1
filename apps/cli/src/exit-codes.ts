import { LiandunError } from '@liandun/sdk';

/** What the process answers with. A script may rely on these: a number never changes its meaning. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  rejected: 3,
  forbidden: 4,
  unreachable: 5,
  unhealthy: 6,
  possible: 10,
  listed: 11,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The meaning of each exit code, English and Chinese. */
export const EXIT_MEANINGS: Record<keyof typeof EXIT, readonly [en: string, zh: string]> = {
  done: ['done', '完成'],
  failed: ['an error that the other codes do not name', '其他错误'],
  usage: ['the command line or the input cannot be understood; nothing was sent', '命令行或输入有误，未发送任何内容'],
  rejected: ['done, but the ledger refused some of it', '已执行，但有内容被账本拒绝'],
  forbidden: ['the key is missing, or the ledger refused it', '缺少密钥，或账本拒绝了该身份'],
  unreachable: ['the ledger could not be reached', '无法连接账本'],
  unhealthy: ['doctor found something that does not work', 'doctor 发现有部件不正常'],
  possible: ['screen --exit-code: possible matches only', 'screen --exit-code:仅有疑似匹配'],
  listed: ['screen --exit-code: the identity is listed', 'screen --exit-code:该主体已被列入'],
  interrupted: ['stopped by Ctrl-C', '被 Ctrl-C 中断'],
};

/** An error for the user: what is wrong and what to do about it, in both languages. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly messageZh: string;

  constructor(exitCode: ExitCode, code: string, message: string, messageZh: string) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
    this.messageZh = messageZh;
  }
}

export const usageError = (code: string, message: string, messageZh: string): CliError =>
  new CliError(EXIT.usage, code, message, messageZh);

/** The exit code that an error of the ledger's client stands for. */
export function exitCodeOf(error: LiandunError): ExitCode {
  if (error.status === 401 || error.status === 403) return EXIT.forbidden;
  if (error.code === 'invalid_client') return EXIT.forbidden;
  if (error.status === undefined || error.status >= 500) return EXIT.unreachable;
  return error.problem ? EXIT.rejected : EXIT.failed;
}
