import { mkdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { formatVerifierKey, type VerifierKey } from '@liandun/transparency-log';
import type { Context } from '../context.js';
import { CliError, EXIT, usageError, type ExitCode } from '../exit-codes.js';
import { verifierKey } from '../log/trust.js';
import { witnessKey } from '../witness/key.js';
import { witnessServer } from '../witness/server.js';
import { WitnessStore } from '../witness/store.js';
import { Witness, type WitnessEvent } from '../witness/witness.js';
import type { CommonOptions } from './common.js';

export interface WitnessOptions extends CommonOptions {
  key: string;
  store: string;
  listen: string;
  log?: string[];
  name?: string;
  tlsCert?: string;
  tlsKey?: string;
}

const STOP_WITHIN_MS = 2_000;
const REPORT_EVERY_MS = 60_000;

/** Runs a witness (C2SP tlog-witness) until Ctrl-C: it cosigns the checkpoints of the logs that it trusts, and refuses forks. */
export async function witness(context: Context, options: WitnessOptions): Promise<ExitCode> {
  const logs = trustedLogs(context, options.log);
  const address = addressOf(options);
  const tls = tlsOf(context, options, address.host);
  const [keyPath, storePath] = [context.path(options.key), context.path(options.store)];
  for (const path of [keyPath, storePath]) mkdirSync(dirname(path), { recursive: true });
  const store = new WitnessStore(storePath);
  try {
    const { key, isNew } = witnessKey(keyPath, store, options.name);
    const vkey = formatVerifierKey(key);
    const tell = teller(context, options);
    const served = new Witness(key, logs, store, tell.event);
    const server = witnessServer({ witness: served, store, vkey, logs, ...(tls && { tls }), onProblem: tell.problem });
    const url = await listen(server, address, tls !== undefined);
    introduce(context, options, { key, vkey, url, isNew, logs, store });
    await untilInterrupted(context.around.interrupted, server);
    if (!options.json) context.note(context.t('Stopped.', '已停止。'));
    return EXIT.done;
  } finally {
    store.close();
  }
}

function trustedLogs(context: Context, given: string[] | undefined): VerifierKey[] {
  const vkeys = given ?? [context.setting('LOG_VKEY')].filter((vkey) => vkey !== undefined);
  if (vkeys.length === 0) {
    throw usageError(
      'NO_LOG',
      'Say which log to cosign: --log with its verifier key, as its operator publishes it (LOG_VKEY).',
      '请用 --log 给出要联署的日志的验证公钥（由其运营方公布，即 LOG_VKEY）。',
    );
  }
  return vkeys.map((vkey) => verifierKey(vkey, '--log'));
}

interface Address {
  host: string;
  port: number;
}

function addressOf({ listen: text }: WitnessOptions): Address {
  const [, host = '', port = ''] = /^(.*):([0-9]{1,5})$/.exec(text) ?? [];
  const address = { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
  if (port === '' || address.host === '' || address.port > 65_535) {
    throw usageError(
      'BAD_ADDRESS',
      `--listen ${text}: give HOST:PORT, as 127.0.0.1:7380`,
      `--listen ${text}：请按 主机:端口 填写，如 127.0.0.1:7380`,
    );
  }
  return address;
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

function tlsOf(context: Context, options: WitnessOptions, host: string): { cert: string; key: string } | undefined {
  const { tlsCert, tlsKey } = options;
  if (tlsCert !== undefined && tlsKey !== undefined) {
    return { cert: readFileSync(context.path(tlsCert), 'utf8'), key: readFileSync(context.path(tlsKey), 'utf8') };
  }
  if (tlsCert === undefined && tlsKey === undefined && LOOPBACK.test(host)) return undefined;
  throw usageError(
    'TLS_NEEDED',
    `${host} is outside loopback: give --tls-cert and --tls-key, or listen on 127.0.0.1 behind a server that speaks TLS.`,
    `${host} 不是本机回环地址：请同时给出 --tls-cert 与 --tls-key，或监听 127.0.0.1 并置于支持 TLS 的服务器之后。`,
  );
}

async function listen(server: Server, { host, port }: Address, secure: boolean): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new CliError(
      EXIT.failed,
      code,
      `Can't listen on ${host}:${port} (${code}): give another --listen HOST:PORT.`,
      `无法监听 ${host}:${port}（${code}）：请用 --listen 换一个 主机:端口。`,
    );
  }
  const bound = (server.address() as AddressInfo).port;
  return `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

interface Introduction {
  key: VerifierKey;
  vkey: string;
  url: string;
  isNew: boolean;
  logs: readonly VerifierKey[];
  store: WitnessStore;
}

function introduce(context: Context, { json, key: keyFile }: WitnessOptions, about: Introduction): void {
  const { key, vkey, url, isNew, logs, store } = about;
  const t = context.t.bind(context);
  const known = logs.map(({ name }) => ({ origin: name, size: store.newest(name)?.size ?? 0 }));
  if (json) return context.print(JSON.stringify({ event: 'listening', name: key.name, vkey, url, logs: known }));
  const lines = [
    context.colors.bold(t(`Witness ${key.name}`, `见证方 ${key.name}`)),
    ...(isNew ? [t(`  new key, keep it: ${keyFile}`, `  新密钥，请妥善保管：${keyFile}`)] : []),
    `  vkey  ${vkey}`,
    ...known.map(({ origin, size }) =>
      size === 0
        ? t(`  log   ${origin}, nothing cosigned yet`, `  日志  ${origin}，尚未联署`)
        : t(`  log   ${origin}, cosigned up to ${size} entries`, `  日志  ${origin}，已联署至 ${size} 条`),
    ),
    t(`  at    ${url}   (Ctrl-C stops)`, `  地址  ${url}（按 Ctrl-C 停止）`),
    t(
      "The ledger's operator adds this to the policy that LIANDUN_WITNESSES names:",
      '请账本运营方在 LIANDUN_WITNESSES 指定的策略文件中加入：',
    ),
    `  witness ${key.name} ${vkey} ${url}`,
  ];
  context.print(lines.join('\n'));
}

interface Teller {
  event: (event: WitnessEvent) => void;
  problem: (error: Error) => void;
}

/** The time of day, as this machine's clock shows it. */
const time = (): string => new Date().toLocaleTimeString('sv');

/** Alarms at once; what is as it should be at the first time, then once a minute. */
function teller(context: Context, { json, store }: WitnessOptions): Teller {
  const saidMs = new Map<string, number>();
  const { green, red } = context.colors;
  return {
    problem: (error) => context.note(`${red('✗')} ${time()} ${error.message}`),
    event: (event) => {
      if (json) return context.print(JSON.stringify({ ...event, time: new Date().toISOString() }));
      if (event.event !== 'cosigned') return context.note(`${red('✗')} ${time()} ${alarmText(context, event, store)}`);
      const { origin, size } = event;
      if (performance.now() - (saidMs.get(origin) ?? -REPORT_EVERY_MS) < REPORT_EVERY_MS) return;
      saidMs.set(origin, performance.now());
      context.print(
        `${green('✓')} ${time()} ${context.t(`cosigned ${origin} at ${size} entries`, `已联署 ${origin}，${size} 条`)}`,
      );
    },
  };
}

function alarmText(context: Context, event: Exclude<WitnessEvent, { event: 'cosigned' }>, store: string): string {
  const { origin, size } = event;
  if (event.event === 'forked') {
    return context.t(
      `FORK: ${origin} has signed two trees of ${size} entries. Refused; both are kept in ${store}. Tell its operator, the regulators and the other members.`,
      `日志分叉：${origin} 为 ${size} 条记录签署了两棵不同的树。已拒绝，证据保存在 ${store}。请告知其运营方、监管部门及其他成员。`,
    );
  }
  const { cosignedSize } = event;
  return context.t(
    `REFUSED: a checkpoint of ${origin} at ${size} entries came without a proof that it goes on from the ${cosignedSize} cosigned here. Kept in ${store}; ask its operator: it may be a fork.`,
    `已拒绝：${origin} 的检查点（${size} 条）未能证明延续此处已联署的 ${cosignedSize} 条。已存入 ${store}；请向其运营方核实，可能是日志分叉。`,
  );
}

/** Answers what is under way, and waits for nobody who only keeps a connection. */
async function untilInterrupted(interrupted: AbortSignal, server: Server): Promise<void> {
  if (!interrupted.aborted) await once(interrupted, 'abort');
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), STOP_WITHIN_MS);
  await closed;
  clearTimeout(timer);
}
