import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { parseEnv } from 'node:util';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { LiandunClient } from '@liandun/sdk';
import { readAuthorities } from '@liandun/tls';
import picocolors from 'picocolors';
import { CliError, EXIT, usageError } from './exit-codes.js';

export type Language = 'en' | 'zh';

/** The process around a command; a test gives its own. */
export interface Surroundings {
  env: Record<string, string | undefined>;
  cwd: string;
  stdin: Readable;
  stdout: Writable & { isTTY?: boolean; columns?: number };
  stderr: Writable & { isTTY?: boolean; columns?: number };
  /** Aborts at the first Ctrl-C. */
  interrupted: AbortSignal;
}

type Jwk = ConstructorParameters<typeof LiandunClient>[0]['key'];

/** `--lang` where given, else by LC_ALL, LC_MESSAGES, LANG in the order of POSIX; English unless they say Chinese. */
export function languageOf(argv: readonly string[], env: Surroundings['env']): Language {
  const at = argv.findIndex((argument) => argument === '--lang' || argument.startsWith('--lang='));
  const given = at === -1 ? undefined : argv[at] === '--lang' ? argv[at + 1] : argv[at]?.slice('--lang='.length);
  return (given ?? (env.LC_ALL || env.LC_MESSAGES || env.LANG) ?? '').toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

/** What every command gets: the language, where to write, the settings and the clients. */
export class Context {
  readonly lang: Language;
  readonly around: Surroundings;
  readonly colors: ReturnType<typeof picocolors.createColors>;
  #settings: Record<string, string | undefined> | undefined;
  #sign = false;

  constructor(around: Surroundings, lang: Language) {
    this.around = around;
    this.lang = lang;
    this.colors = picocolors.createColors(Boolean(around.stdout.isTTY) && !around.env.NO_COLOR);
  }

  t(en: string, zh: string): string {
    return this.lang === 'zh' ? zh : en;
  }

  print(text: string): void {
    this.around.stdout.write(`${text}\n`);
  }

  /** For people only; never part of what a pipe reads. */
  note(text: string): void {
    this.around.stderr.write(`${text}\n`);
  }

  /** How wide a line may be: what isn't read on a terminal is never cut. */
  get columns(): number {
    return this.around.stdout.columns ?? Infinity;
  }

  /** A path as the user typed it. */
  path(given: string): string {
    return resolve(this.around.cwd, given);
  }

  /** Where the launcher keeps its state: LIANDUN_HOME, else the nearest `.liandun` at or above the current folder. */
  home(): string | undefined {
    const { env, cwd } = this.around;
    if (env.LIANDUN_HOME) return resolve(cwd, env.LIANDUN_HOME);
    for (let folder = cwd; ; folder = dirname(folder)) {
      if (existsSync(join(folder, '.liandun', 'env'))) return join(folder, '.liandun');
      if (folder === dirname(folder)) return undefined;
    }
  }

  /** A setting from the environment, else from `env` in the launcher's folder. */
  setting(name: string): string | undefined {
    this.#settings ??= this.#read();
    return this.around.env[name] || this.#settings[name];
  }

  #read(): Record<string, string | undefined> {
    const home = this.home();
    const file = home && join(home, 'env');
    return file && existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
  }

  url(): string {
    const url = this.setting('LIANDUN_URL');
    if (url) return url;
    const [en, zh] = this.#noEnv();
    throw new CliError(
      EXIT.unreachable,
      'NO_URL',
      `LIANDUN_URL is not set, and ${en}. Run \`npm start\`, or set LIANDUN_URL.`,
      `未设置 LIANDUN_URL，且${zh}。请运行 npm start，或设置 LIANDUN_URL。`,
    );
  }

  /** Why no ledger's addresses were found where they were looked for. */
  #noEnv(): [en: string, zh: string] {
    const home = this.home();
    if (home === undefined)
      return [
        `there is no .liandun/env in ${this.around.cwd} or above`,
        `${this.around.cwd} 及其上级文件夹中没有 .liandun/env`,
      ];
    // Found by looking, it has an env: what hasn't was named by LIANDUN_HOME.
    if (!existsSync(home))
      return [`the folder ${home} (LIANDUN_HOME) does not exist`, `文件夹 ${home}（LIANDUN_HOME）不存在`];
    const file = join(home, 'env');
    return existsSync(file)
      ? [`${file} does not name it`, `${file} 中也没有该项`]
      : [`no ledger was started in ${home} (LIANDUN_HOME)`, `未曾在 ${home}（LIANDUN_HOME）中启动账本`];
  }

  /**
   * Lets this process trust the authority that issued the ledger's certificate, beside those that Node trusts: the file given, else
   * the one that LIANDUN_CA names.
   */
  trust(given: string | undefined): void {
    const file = given ?? this.setting('LIANDUN_CA');
    if (file) setDefaultCACertificates([...getCACertificates('default'), readAuthorities(this.path(file))]);
  }

  /** Lets the clients sign what they publish: where it is asked for, or LIANDUN_SIGN says 1. */
  signAll(given: boolean | undefined): void {
    this.#sign = given ?? this.setting('LIANDUN_SIGN') === '1';
  }

  /** Whether Kafka is spoken to over TLS: as KAFKA_SECURITY_PROTOCOL says, else as HTTP is. */
  kafkaOverTls(): boolean {
    return this.setting('KAFKA_SECURITY_PROTOCOL')?.endsWith('SSL') ?? this.url().startsWith('https:');
  }

  /** The member's private key, from the file that `<MEMBER>_KEY` names. */
  key(memberId: string): Jwk {
    const name = keyVariable(memberId);
    const file = this.setting(name);
    if (!file) {
      throw new CliError(
        EXIT.forbidden,
        'NO_KEY',
        `No key for member ${memberId}: set ${name} to the path of its private key (a JWK with kid).`,
        `成员 ${memberId} 没有密钥：请将 ${name} 设为其私钥文件路径（带 kid 的 JWK）。`,
      );
    }
    try {
      const home = this.home();
      const key = JSON.parse(readFileSync(resolve(home ? dirname(home) : this.around.cwd, file), 'utf8')) as Jwk;
      if (typeof key.kid !== 'string' || typeof key.d !== 'string') throw new Error('kid or d is missing');
      return key;
    } catch (error) {
      throw new CliError(
        EXIT.forbidden,
        'BAD_KEY',
        `${name} points to ${file}, which is not a private key (JWK with kid): ${(error as Error).message}`,
        `${name} 指向的 ${file} 不是可用的私钥(带 kid 的 JWK):${(error as Error).message}`,
      );
    }
  }

  client(memberId: string | undefined): LiandunClient {
    const member = memberId ?? this.setting('LIANDUN_MEMBER');
    if (!member) {
      throw usageError(
        'NO_MEMBER',
        'Say as which member: --as platform-a (or set LIANDUN_MEMBER).',
        '请说明以哪个成员的身份执行：--as platform-a(或设置 LIANDUN_MEMBER)。',
      );
    }
    return new LiandunClient({ url: this.url(), memberId: member, key: this.key(member), sign: this.#sign });
  }
}

/** `platform-a` → `PLATFORM_A_KEY` */
export const keyVariable = (memberId: string): string => `${memberId.toUpperCase().replaceAll('-', '_')}_KEY`;
