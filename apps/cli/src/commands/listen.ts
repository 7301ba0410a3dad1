import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { CloudEvent, Notice } from '@liandun/contracts';
import { backoffMs, pause, signWebhook, webhookKey, webhookPublicKey, webhookSecret } from '@liandun/sdk';
import type { Context } from '../context.js';
import { EXIT, usageError, type ExitCode } from '../exit-codes.js';
import type { CommonOptions } from './common.js';

export interface ListenOptions extends CommonOptions {
  forwardTo: string;
  after: number;
  key?: string;
}

const ATTEMPTS_MAX = 5;
const TIMEOUT_MS = 20_000;

type Key = ReturnType<typeof webhookKey>;

/**
 * Opens the stream of notices as a platform and posts each to a URL, as the ledger's webhook would be: the same body, headers and
 * signatures, one at a time and in order. Until Ctrl-C; a stream that breaks goes on after the last notice.
 */
export async function listen(context: Context, options: ListenOptions): Promise<ExitCode> {
  const url = urlOf(options.forwardTo);
  const key = keyOf(context, options.key);
  const client = context.client(options.as);
  const { interrupted } = context.around;
  introduce(context, options, key);
  let last = options.after;
  for await (const event of client.streamNotices(last, interrupted)) {
    if (!(await forward(context, options, { url, key, event }))) break;
    last = event.data.seq;
  }
  if (!options.json) context.note(context.t(`Stopped. To go on: --after ${last}`, `已停止。继续请用：--after ${last}`));
  return EXIT.done;
}

function urlOf(text: string): string {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text;
  throw usageError(
    'BAD_URL',
    `--forward-to ${text}: give the URL that takes webhooks, as http://127.0.0.1:3000/hooks`,
    `--forward-to ${text}：请填写接收 webhook 的地址，如 http://127.0.0.1:3000/hooks`,
  );
}

/** A new key, or that of the file: 32 random bytes in base64. */
function keyOf(context: Context, file: string | undefined): Key {
  const made = randomBytes(32);
  if (file === undefined) return webhookKey(made);
  const path = context.path(file);
  try {
    writeFileSync(path, `${made.toString('base64')}\n`, { flag: 'wx', mode: 0o600 });
    return webhookKey(made);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const kept = Buffer.from(readFileSync(path, 'utf8'), 'base64');
  if (kept.length === 32) return webhookKey(kept);
  throw usageError(
    'BAD_KEY',
    `--key ${file}: not a key that listen made. Name another file: it is made.`,
    `--key ${file}：不是本命令生成的密钥文件。请指定其他文件，将自动新建。`,
  );
}

function introduce(context: Context, { json, forwardTo }: ListenOptions, key: Key): void {
  const t = context.t.bind(context);
  const [publicKey, secret] = [webhookPublicKey(key.ed25519), webhookSecret(key.secret)];
  if (json) return context.print(JSON.stringify({ event: 'listening', forwardTo, publicKey, secret }));
  const lines = [
    t(`Posting notices to ${forwardTo}   (Ctrl-C stops)`, `正在将通知转发到 ${forwardTo}（按 Ctrl-C 停止）`),
    t(`  public key  ${publicKey}`, `  公钥      ${publicKey}`),
    t(`  or secret   ${secret}`, `  或对称密钥  ${secret}`),
  ];
  context.print(lines.join('\n'));
}

interface Forwarded {
  url: string;
  key: Key;
  event: CloudEvent<Notice>;
}

/**
 * Tries some times, then goes on: a notice that the receiver never takes must not stop what is developed. False if it was
 * interrupted before the receiver took it.
 */
async function forward(context: Context, options: ListenOptions, { url, key, event }: Forwarded): Promise<boolean> {
  const { interrupted } = context.around;
  const id = event.id.replaceAll('.', '_');
  const body = JSON.stringify(event);
  for (let attempt = 1; attempt <= ATTEMPTS_MAX && !interrupted.aborted; attempt += 1) {
    const timestamp = Math.floor(Date.now() / 1000);
    const headers = {
      'content-type': 'application/cloudevents+json; charset=UTF-8',
      ...signWebhook({ id, timestamp, body }, [key]),
    };
    const { ok, said } = await post(url, headers, body, interrupted);
    tell(context, options, { id, event, ok, said });
    if (ok) return true;
    if (attempt < ATTEMPTS_MAX) await pause(backoffMs(attempt, 250), interrupted);
  }
  return !interrupted.aborted;
}

async function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  interrupted: AbortSignal,
): Promise<{ ok: boolean; said: string }> {
  try {
    const signal = AbortSignal.any([interrupted, AbortSignal.timeout(TIMEOUT_MS)]);
    const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    await answer.body?.cancel();
    return { ok: answer.ok, said: String(answer.status) };
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    return { ok: false, said: code ?? (error as Error).name };
  }
}

interface Told {
  id: string;
  event: CloudEvent<Notice>;
  ok: boolean;
  said: string;
}

function tell(context: Context, { json }: ListenOptions, { id, event, ok, said }: Told): void {
  const { seq, action, entity } = event.data;
  if (json) return context.print(JSON.stringify({ event: ok ? 'delivered' : 'failed', id, seq, answer: said }));
  const { green, red } = context.colors;
  const time = new Date().toLocaleTimeString('sv');
  const line = `${time} #${seq} ${action} ${entity.name}`;
  if (ok) return context.print(`${green('✓')} ${line}  ${said}`);
  context.print(`${red('✗')} ${line}  ${context.t(`failed: ${said}`, `失败：${said}`)}`);
}
