import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { kafkaClient, type LiandunClient } from '@liandun/sdk';
import type { Context } from '../context.js';
import { roleOf } from './caller.js';

export interface Finding {
  name: string;
  status: 'ok' | 'warn' | 'fail' | 'skipped';
  detail: string;
  /** What to do about it. */
  remedy?: string;
}

/** One part. `examine` throws, or returns, what is wrong; `needs` names checks without which it says nothing. */
export interface Check {
  name: string;
  needs?: string[];
  remedy: string;
  examine: () => Promise<Omit<Finding, 'name'>>;
}

const GIB = 2 ** 30;
const DISK_FREE_MIN_BYTES = GIB;
const NODE_MAJOR_MIN = 24;
const JAVA_MAJOR_MIN = 17;
// A client assertion lives for a minute: a clock that is further off gets no token.
const SKEW_MAX_SECONDS = 30;
const WAIT_MS = 5_000;

const skipped = (detail: string): Omit<Finding, 'name'> => ({ status: 'skipped', detail });
const ok = (detail: string): Omit<Finding, 'name'> => ({ status: 'ok', detail });

/** What the machine has to offer, and what the launcher left on it. */
export function machineChecks(context: Context): Check[] {
  const t = context.t.bind(context);
  const home = context.home();
  return [
    {
      name: 'node',
      remedy: t(
        `Use Node ${NODE_MAJOR_MIN}; npm run liandun brings its own.`,
        `请使用 Node ${NODE_MAJOR_MIN}；npm run liandun 自带。`,
      ),
      examine: async () => {
        if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) throw new Error(process.version);
        return ok(process.version);
      },
    },
    {
      name: 'java',
      remedy: t(
        `Install Java ${JAVA_MAJOR_MIN} or later (only for a ledger on this machine).`,
        `请安装 Java ${JAVA_MAJOR_MIN} 或更高版本（仅在本机运行账本时需要）。`,
      ),
      examine: async () => {
        const { stderr, stdout } = await promisify(execFile)('java', ['-version']);
        const version = /version "([^"]+)"/.exec(stderr + stdout)?.[1] ?? '?';
        if (!(Number.parseInt(version, 10) >= JAVA_MAJOR_MIN)) throw new Error(version);
        return ok(version);
      },
    },
    {
      name: 'disk',
      remedy: t('Make room: at least 1 GiB.', '请清理磁盘，至少留出 1 GiB。'),
      examine: async () => {
        // Where the folder isn't there yet, it will lie on the disk of the nearest one that is.
        const folder = nearest(home ?? context.around.cwd);
        const { bavail, bsize } = await statfs(folder);
        const free = `${((bavail * bsize) / GIB).toFixed(1)} GiB ${t('free', '可用')} (${folder})`;
        if (bavail * bsize < DISK_FREE_MIN_BYTES) throw new Error(free);
        return ok(free);
      },
    },
    {
      name: 'env',
      remedy: t(
        'Run npm start, or set LIANDUN_URL and <MEMBER>_KEY yourself.',
        '请运行 npm start，或自行设置 LIANDUN_URL 与 <MEMBER>_KEY。',
      ),
      examine: async () => {
        const file = home === undefined ? '.liandun/env' : join(home, 'env');
        if (home !== undefined && existsSync(file)) return ok(file);
        const url = context.url();
        return ok(t(`no ${file}; LIANDUN_URL is ${url}`, `无 ${file}；LIANDUN_URL 为 ${url}`));
      },
    },
  ];
}

function nearest(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : nearest(dirname(folder));
}

/** The ledger, from the outside in: HTTP, the clock, the member's identity, what it may read, Kafka. */
export function ledgerChecks(context: Context, as: string | undefined): Check[] {
  const t = context.t.bind(context);
  const member = as ?? context.setting('LIANDUN_MEMBER') ?? 'platform-a';
  let made: LiandunClient | undefined;
  const client = (): LiandunClient => (made ??= context.client(member));
  const live = async (): Promise<Omit<Finding, 'name'>> => ok(await healthOf(context.url(), 'live'));
  const start = t('Is the ledger running? npm start shows its state.', '账本是否在运行？npm start 会显示其状态。');
  return [
    { name: 'live', needs: ['env', 'tls'], remedy: start, examine: live },
    {
      name: 'ready',
      needs: ['live'],
      remedy: t(
        'A part behind the API is down: look at the body above and at the logs in .liandun.',
        'API 背后的某个部件不可用：请看上面的内容和 .liandun 中的日志。',
      ),
      examine: async () => ok(await healthOf(context.url(), 'ready')),
    },
    {
      name: 'worker',
      needs: ['ready'],
      remedy: t(
        'Nothing is linked or delivered while the worker stands: see .liandun/worker.log, then start the ledger again.',
        '工作进程停滞期间不会识别和投递：请查看 .liandun/worker.log，然后重新启动账本。',
      ),
      examine: async () => {
        const answer = await fetch(`${context.url()}/health/ready`, { signal: AbortSignal.timeout(WAIT_MS) });
        const { worker } = (await answer.json()) as { worker?: string };
        if (worker !== undefined && worker !== 'ok') throw new Error(worker);
        return ok(worker ?? t('not shown by this ledger', '该账本未提供'));
      },
    },
    {
      name: 'clock',
      needs: ['live'],
      remedy: t('Set the clock of this machine (NTP).', '请校准本机时钟（NTP）。'),
      examine: async () => clockSkew(context),
    },
    {
      name: 'token',
      needs: ['live'],
      remedy: t(
        `Is ${member} a member with this key, and active? Ask an administrator.`,
        `${member} 是否为有效成员且使用此密钥？请联系管理员。`,
      ),
      examine: async () => {
        await within(client().token());
        return ok(t(`${member} is who its key says`, `${member} 身份验证通过`));
      },
    },
    {
      name: 'inbox',
      needs: ['live'],
      remedy: t(
        'The ledger publishes no key for its inbox: check LIANDUN_KEYS of the API.',
        '账本未公布收件密钥：请检查 API 的 LIANDUN_KEYS。',
      ),
      examine: async () => {
        const keys = await within(client().ledgerKeys());
        const key = keys.keys.find(({ use }) => use === 'enc');
        if (!key) throw new Error(t('no key with use "enc"', '没有 use 为 enc 的密钥'));
        return ok(`${key.kty} ${key.crv ?? ''} ${key.kid ?? ''}`);
      },
    },
    ...deliveryChecks(context, member, client),
  ];
}

function deliveryChecks(context: Context, member: string, client: () => LiandunClient): Check[] {
  const t = context.t.bind(context);
  let feedLast: number | undefined;
  return [
    {
      name: 'feed',
      needs: ['token'],
      remedy: t(
        'The ledger does not answer with notices: see the logs of the API.',
        '账本未返回通知：请查看 API 日志。',
      ),
      examine: async () => {
        if ((await within(roleOf(client()))) !== 'platform')
          return skipped(t('only platforms are told anything', '只有平台会收到通知'));
        feedLast = await lastSeq(client());
        return ok(feedLast < 0 ? t('no notices yet', '暂无通知') : t(`last seq ${feedLast}`, `最后序号 ${feedLast}`));
      },
    },
    {
      name: 'kafka',
      needs: ['token'],
      remedy: t(
        'Is the broker running, KAFKA_BROKERS right, and the member active?',
        'Kafka 是否运行？KAFKA_BROKERS 是否正确？成员是否有效？',
      ),
      examine: async () => {
        if ((await within(roleOf(client()))) === 'admin')
          return skipped(t('an administrator has no topics', '管理员没有 Kafka 主题'));
        const brokers = context.setting('KAFKA_BROKERS');
        if (!brokers) throw new Error(t('KAFKA_BROKERS is not set', '未设置 KAFKA_BROKERS'));
        const { low, high } = await within(topicOffsets(context, brokers, member, client()), 4 * WAIT_MS);
        const place = t(`notices.${member}: offsets ${low} to ${high}`, `notices.${member}：偏移 ${low} 至 ${high}`);
        // The relay may repeat a notice, never leave one out: fewer messages than notices means that some are on the way.
        const behind = (feedLast ?? -1) + 1 - Number(high);
        if (behind <= 0) return ok(place);
        return {
          status: 'warn',
          detail: `${place}; ${t(`${behind} behind the feed`, `比订阅源少 ${behind} 条`)}`,
          remedy: t(
            'The relay is catching up, or stands still: see the metrics of the worker.',
            '中继正在追赶或已停顿：请查看 worker 的指标。',
          ),
        };
      },
    },
  ];
}

async function within<T>(promise: Promise<T>, waitMs = WAIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${waitMs / 1000} s`)), waitMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function healthOf(url: string, what: 'live' | 'ready'): Promise<string> {
  const address = `${url}/health/${what}`;
  const response = await fetch(address, { signal: AbortSignal.timeout(WAIT_MS) }).catch((error: Error) => {
    throw new Error(`${address}: ${error.cause instanceof Error ? error.cause.message : error.message}`);
  });
  const body = (await response.text()).slice(0, 500);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${body}`);
  return address;
}

async function clockSkew(context: Context): Promise<Omit<Finding, 'name'>> {
  const response = await fetch(`${context.url()}/health/live`, { signal: AbortSignal.timeout(WAIT_MS) });
  const date = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(date))
    return { status: 'warn', detail: context.t('the ledger sends no Date', '账本未返回 Date 头') };
  const skew = Math.round((Date.now() - date) / 1000);
  const detail = context.t(`${Math.abs(skew)} s off`, `相差 ${Math.abs(skew)} 秒`);
  if (Math.abs(skew) > SKEW_MAX_SECONDS) throw new Error(detail);
  return ok(detail);
}

/** The last `seq` of the feed, -1 where there is none: they are dense, so it can be searched for. */
async function lastSeq(client: LiandunClient): Promise<number> {
  const reaches = async (seq: number): Promise<boolean> => (await within(client.notices(seq - 1, 1))).items.length > 0;
  if (!(await reaches(0))) return -1;
  let low = 0;
  let high = 1;
  while (await reaches(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await reaches(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Asks for the offsets of the member's own topic: `connect()` alone succeeds with a token that the broker refused. */
async function topicOffsets(
  context: Context,
  brokers: string,
  member: string,
  client: LiandunClient,
): Promise<{ low: string; high: string }> {
  const kafka = kafkaClient({
    brokers,
    clientId: `${member}.doctor`,
    ssl: context.kafkaOverTls(),
    token: async () => client.token('liandun-kafka'),
  });
  const admin = kafka.admin({ retry: { retries: 1 } });
  try {
    await admin.connect();
    const [partition] = await admin.fetchTopicOffsets(`notices.${member}`);
    return { low: partition?.low ?? '0', high: partition?.high ?? '0' };
  } finally {
    await admin.disconnect();
  }
}
